//! Time and zones.

use tidings_domain::time::{Timestamp, Zones};

/// What the machine's clock says; may be wrong in a browser, see [`crate::state::Client::exact_now`].
#[cfg(feature = "hydrate")]
pub fn now() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}

/// What the machine's clock says.
#[cfg(not(feature = "hydrate"))]
pub fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The zone database at hand: the browser's `Intl`, chrono-tz on the server.
pub fn zones() -> &'static dyn Zones {
    &ZONES
}

#[cfg(all(feature = "ssr", not(feature = "hydrate")))]
static ZONES: tidings_domain::time::TzDatabase = tidings_domain::time::TzDatabase;

#[cfg(feature = "hydrate")]
static ZONES: intl::Intl = intl::Intl;

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
static ZONES: Utc = Utc;

/// Knows no zone but UTC: for builds that are neither a server nor a page.
#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
struct Utc;

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
impl Zones for Utc {
    fn offset(&self, zone: &str, _: Timestamp) -> Option<i32> {
        (zone == "UTC").then_some(0)
    }
}

#[cfg(feature = "hydrate")]
mod intl {
    use std::cell::RefCell;

    use js_sys::{Array, Date, Function, Intl as Js, Object, Reflect};
    use tidings_domain::{
        sorted::SortedMap,
        time::{Timestamp, Zones},
    };
    use wasm_bindgen::{JsCast, JsValue};

    /// Offsets change on the quarter of an hour, so one answer serves for all of it.
    const QUARTER: i64 = 900_000;
    /// Answers that are kept for a zone.
    const KEPT: usize = 20_000;

    /// The browser's zone database.
    pub(super) struct Intl;

    /// A zone: how to ask for its local time, and what was answered by quarter of an hour.
    struct Zone {
        format: Option<Function>,
        offsets: SortedMap<i64, i32>,
    }

    thread_local! {
        // A cache of what never changes; making a format costs far more than asking it.
        static KNOWN: RefCell<Vec<(String, Zone)>> = const { RefCell::new(Vec::new()) };
    }

    impl Zones for Intl {
        fn offset(&self, zone: &str, at: Timestamp) -> Option<i32> {
            if zone == "UTC" {
                return Some(0);
            }
            KNOWN.with_borrow_mut(|known| {
                let at_hand = known.iter().position(|(name, _)| name == zone);
                let place = at_hand.unwrap_or_else(|| {
                    let format = format(zone);
                    let offsets = SortedMap::default();
                    known.push((zone.to_owned(), Zone { format, offsets }));
                    known.len() - 1
                });
                let (_, zone) = known.get_mut(place)?;
                let quarter = at.0.div_euclid(QUARTER);
                if let Some(offset) = zone.offsets.get(&quarter) {
                    return Some(*offset);
                }
                let offset = ask(zone.format.as_ref()?, quarter * QUARTER)?;
                if zone.offsets.len() >= KEPT {
                    zone.offsets.clear();
                }
                zone.offsets.insert(quarter, offset);
                Some(offset)
            })
        }
    }

    /// The function that writes an instant as the zone's clocks show it; none for no zone.
    fn format(zone: &str) -> Option<Function> {
        let options = Object::new();
        let set = |name: &str, value: &str| {
            let _ = Reflect::set(&options, &name.into(), &value.into());
        };
        set("timeZone", zone);
        set("hourCycle", "h23");
        set("year", "numeric");
        for part in ["month", "day", "hour", "minute", "second"] {
            set(part, "2-digit");
        }
        // The constructor throws for an unknown zone, so it is called where that can be caught.
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let make: Function = Reflect::get(&intl, &"DateTimeFormat".into())
            .ok()?
            .dyn_into()
            .ok()?;
        let args = Array::of2(&"en-US".into(), &options);
        let made: Js::DateTimeFormat = Reflect::construct(&make, &args).ok()?.unchecked_into();
        Some(made.format())
    }

    /// Seconds ahead of UTC. The format writes `MM/DD/YYYY, HH:MM:SS`.
    fn ask(format: &Function, at: i64) -> Option<i32> {
        let date = Date::new(&JsValue::from_f64(at as f64));
        let text = format.call1(&JsValue::UNDEFINED, &date).ok()?.as_string()?;
        let mut parts = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|p| !p.is_empty());
        let mut part = || parts.next()?.parse::<i32>().ok();
        let (month, day, year) = (part()?, part()?, part()?);
        let (hour, minute, second) = (part()?, part()?, part()?);
        let wall = Date::utc(year as u32 as f64, (month - 1) as f64)
            + f64::from((day - 1) * 86_400 + hour * 3600 + minute * 60 + second) * 1000.0;
        Some(((wall as i64 - at) / 1000) as i32)
    }
}
