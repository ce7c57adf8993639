//! Local times where clocks change.

use chrono::{NaiveDateTime, Timelike};
use proptest::prelude::*;
use tidings_domain::time::{TimeOfDay, Timestamp, TzDatabase, instant, local};

fn at(zone: &str, date: &str, time: &str) -> String {
    let time: TimeOfDay = time.parse().unwrap();
    instant(&TzDatabase, zone, date.parse().unwrap(), time).to_string()
}

#[test]
fn gaps_go_forward_and_overlaps_take_the_first() {
    for (zone, date, time, utc) in [
        // Clocks go from 2:00 to 3:00, and from 3:00 back to 2:00.
        ("Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59"),
        ("Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:30"),
        ("Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25", "01:59", "2026-10-24T23:59"),
        ("Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30"),
        ("Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00"),
        (
            "America/New_York",
            "2026-03-08",
            "02:30",
            "2026-03-08T07:30",
        ),
        (
            "America/New_York",
            "2026-11-01",
            "01:30",
            "2026-11-01T05:30",
        ),
        (
            "America/New_York",
            "2026-11-01",
            "02:00",
            "2026-11-01T07:00",
        ),
        // Half an hour only.
        (
            "Australia/Lord_Howe",
            "2026-10-04",
            "02:15",
            "2026-10-03T15:45",
        ),
        (
            "Australia/Lord_Howe",
            "2026-10-04",
            "02:30",
            "2026-10-03T15:30",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05",
            "01:45",
            "2026-04-04T14:45",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05",
            "02:00",
            "2026-04-04T15:30",
        ),
        // A quarter of an hour went missing once, at midnight; all-day tasks begin there.
        ("Asia/Kathmandu", "1986-01-01", "00:00", "1985-12-31T18:30"),
        ("Asia/Kathmandu", "1986-01-01", "00:15", "1985-12-31T18:30"),
        ("Asia/Kathmandu", "2026-12-10", "15:00", "2026-12-10T09:15"),
        // A whole day did.
        ("Pacific/Apia", "2011-12-30", "10:00", "2011-12-30T20:00"),
        ("UTC", "2026-12-10", "15:00", "2026-12-10T15:00"),
    ] {
        assert_eq!(
            at(zone, date, time),
            format!("{utc}:00.000Z"),
            "{zone} {date} {time}"
        );
    }
}

fn clock(at: NaiveDateTime) -> TimeOfDay {
    let part = |n: u32| u16::try_from(n).unwrap();
    TimeOfDay::new(part(at.hour()), part(at.minute())).unwrap()
}

proptest! {
    #[test]
    fn a_local_time_is_shown_again_but_in_gaps(
        zone in proptest::sample::select(vec![
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca",
        ]),
        minutes in 0_i64..40_000_000,
    ) {
        let wall = Timestamp(minutes * 60_000).utc();
        let time = clock(wall);
        let made = instant(&TzDatabase, zone, wall.date(), time);
        let shown = local(&TzDatabase, zone, made);
        prop_assert!(shown >= wall);
        prop_assert!(shown - wall <= chrono::TimeDelta::hours(1));
        // What is shown lies outside the gap, so it leads to the same instant.
        let time = clock(shown);
        prop_assert_eq!(instant(&TzDatabase, zone, shown.date(), time), made);
    }

    #[test]
    fn instants_print_and_read_the_same(ms in Timestamp::MIN.0..=Timestamp::MAX.0) {
        prop_assert_eq!(Timestamp(ms).to_string().parse(), Ok(Timestamp(ms)));
    }
}
