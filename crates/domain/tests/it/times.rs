//! Dates and instants: what is written is read back, and nothing is read that chrono would refuse.

use chrono::{DateTime, Datelike, Days, NaiveDate};
use proptest::{prelude::*, sample::Index};
use tidings_domain::time::{TimeOfDay, Timestamp, parse_date, write_date};

/// What chrono makes of an instant.
fn instant(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let at = Timestamp(at.timestamp_millis());
    (Timestamp::MIN..=Timestamp::MAX)
        .contains(&at)
        .then_some(at)
}

/// What chrono makes of a date.
fn date(text: &str) -> Option<NaiveDate> {
    let date: NaiveDate = text.parse().ok()?;
    let shaped = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    (shaped && (1..=9999).contains(&date.year())).then_some(date)
}

/// Instants in every form, some of them out of bounds.
fn instants() -> impl Strategy<Value = String> {
    let date = r"(000[01]|[0-9]{3}[0-9]|2026|9999)-(0[0-9]|1[0-3])-([012][0-9]|3[0-2])";
    let time = r"([01][0-9]|2[0-5]):[0-6][0-9]:([0-5][0-9]|6[0-2])(\.[0-9]{0,12})?";
    let zone = r"(Z|z|[+−-]([01][0-9]|2[0-5]):[0-6][0-9])";
    let form = [date, "[Tt ]", time, zone].concat();
    prop::string::string_regex(&form).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(at in Timestamp::MIN.0..=Timestamp::MAX.0, minutes in 0..1440_u16) {
        let at = Timestamp(at);
        let text = at.to_string();
        prop_assert_eq!(text.parse(), Ok(at));
        prop_assert_eq!(instant(&text), Some(at));
        let day = at.utc().date();
        prop_assert_eq!(write_date(day), day.to_string());
        prop_assert_eq!(parse_date(&write_date(day)), Ok(day));
        let time = TimeOfDay::new(minutes / 60, minutes % 60).unwrap();
        prop_assert_eq!(time.to_string(), format!("{:02}:{:02}", minutes / 60, minutes % 60));
        prop_assert_eq!(time.to_string().parse(), Ok(time));
        let minute = at.0.rem_euclid(86_400_000) / 60_000;
        prop_assert_eq!(i64::from(TimeOfDay::of(at.utc()).minutes()), minute);
    }

    #[test]
    fn instants_are_read_as_chrono_reads_them(text in instants()) {
        prop_assert_eq!(text.parse().ok(), instant(&text), "{}", text);
        prop_assert_eq!(parse_date(&text[..10]).ok(), date(&text[..10]), "{}", text);
    }

    #[test]
    fn what_is_spoiled_is_read_as_chrono_reads_it(
        text in instants(),
        at in any::<Index>(),
        put in prop::option::of(r"[-+:.0-9TZ é]"),
        cut in any::<bool>(),
    ) {
        let mut spoiled: Vec<char> = text.chars().collect();
        let at = at.index(spoiled.len());
        if cut {
            spoiled.remove(at);
        }
        spoiled.splice(at..at, put.iter().flat_map(|p| p.chars()));
        let spoiled: String = spoiled.into_iter().collect();
        prop_assert_eq!(spoiled.parse().ok(), instant(&spoiled), "{}", spoiled);
        for end in [9, 10, 11] {
            let text = spoiled.get(..end).unwrap_or_default();
            prop_assert_eq!(parse_date(text).ok(), date(text), "{}", text);
        }
    }
}

#[test]
fn every_day_has_its_text() {
    let mut day = NaiveDate::from_ymd_opt(1896, 1, 1).unwrap();
    while day.year() < 2008 {
        assert_eq!(write_date(day), day.to_string());
        assert_eq!(parse_date(&write_date(day)), Ok(day));
        day = day + Days::new(1);
    }
    for text in ["", "2026-2-3", "2027-02-29", "0000-01-01", "+2026-01-0"] {
        assert!(parse_date(text).is_err(), "{text}");
    }
}
