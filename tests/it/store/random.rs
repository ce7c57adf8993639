//! Random people and what they do, the same from one run to the next for a seed.

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use tidings_domain::{
    command::{Command, TaskPatch},
    task::{Priority, Recurrence},
    time::TimeOfDay,
};

use super::kit::NOON;

const TITLES: [&str; 8] = [
    "Buy milk",
    "Éclairs for Zoë",
    "éclair",
    "zebra",
    "Äpfel 100%",
    "Write _the_ report",
    "ＦＵＬＬ width",
    "日本語",
];
const TAGS: [&str; 4] = ["home", "work", "Home", "a%b"];
const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"];

pub(crate) struct Random(StdRng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.random_bool(0.5).then(|| value(self))
    }

    pub(crate) fn date(&mut self) -> NaiveDate {
        let first = NOON.utc().date() - Days::new(3);
        first + Days::new(self.below(7) as u64)
    }

    fn due_time(&mut self) -> TimeOfDay {
        let hour = *[0, 1, 11, 13, 22, 23].choose(&mut self.0).unwrap();
        TimeOfDay::new(hour, 30).unwrap()
    }

    fn patch(&mut self) -> TaskPatch {
        TaskPatch {
            title: self.maybe(|r| (*TITLES.choose(&mut r.0).unwrap()).to_owned()),
            description: self.maybe(|r| format!("Notes\non {}", TITLES.choose(&mut r.0).unwrap())),
            completed: self.maybe(|r| r.below(3) == 0),
            priority: self.maybe(|r| *Priority::ALL.choose(&mut r.0).unwrap()),
            tags: self.maybe(|r| {
                let count = r.below(3);
                (0..count)
                    .map(|_| (*TAGS.choose(&mut r.0).unwrap()).to_owned())
                    .collect()
            }),
            due_date: self.maybe(|r| r.maybe(Self::date)),
            due_time: self.maybe(|r| r.maybe(Self::due_time)),
            time_zone: self.maybe(|r| r.maybe(|r| (*ZONES.choose(&mut r.0).unwrap()).to_owned())),
            remind_at: self.maybe(|r| r.maybe(|r| NOON.plus_ms(r.below(1000) as i64))),
            recurrence: self.maybe(|r| {
                r.maybe(|_| Recurrence {
                    rule: "FREQ=DAILY".into(),
                    from: Default::default(),
                })
            }),
            position: self
                .maybe(|r| format!("a{}", r.below(10)))
                .filter(|_| self.below(4) == 0),
        }
    }

    /// A task that is accepted, more likely than not.
    pub(crate) fn create(&mut self) -> Command {
        let mut patch = self.patch();
        patch.title.get_or_insert_with(|| TITLES[0].to_owned());
        if patch.due_date.flatten().is_none() {
            patch.due_time = None;
            patch.recurrence = None;
        }
        Command::Create(patch)
    }

    /// Anything that may be asked.
    pub(crate) fn command(&mut self) -> Command {
        match self.below(12) {
            0..=2 => self.create(),
            3..=5 => Command::Edit(self.patch()),
            6 => Command::Replace(self.patch()),
            7 => Command::Complete(self.maybe(|r| r.below(2) == 0)),
            8 => Command::Delete,
            9 => Command::Restore(None),
            10 => Command::Restore(Some(self.below(6) as i64)),
            _ => Command::Purge,
        }
    }
}
