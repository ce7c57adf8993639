//! The dates of rules: what RFC 5545 and people say they are, and what another implementation does.

use chrono::{Datelike, NaiveDate};
use proptest::{prelude::*, sample::subsequence};
use rrule::RRuleSet;
use tidings_domain::recurrence::Rule;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The first dates of a series.
fn dates(rule: &str, first: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let rule = Rule::parse(rule).unwrap();
    std::iter::successors(Some(first), move |date| rule.date_after(first, *date))
}

fn written(rule: &str, first: &str, count: usize) -> String {
    let dates = dates(rule, day(first)).take(count);
    dates
        .map(|date| date.to_string())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn an_implied_29th_to_31st_is_the_last_day_of_shorter_months() {
    for (rule, first, expected) in [
        (
            "FREQ=MONTHLY",
            "2026-01-31",
            "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31",
        ),
        (
            "FREQ=MONTHLY",
            "2027-12-30",
            "2027-12-30 2028-01-30 2028-02-29 2028-03-30 2028-04-30",
        ),
        (
            "FREQ=MONTHLY",
            "2026-01-29",
            "2026-01-29 2026-02-28 2026-03-29 2026-04-29 2026-05-29",
        ),
        (
            "FREQ=MONTHLY;INTERVAL=3",
            "2026-08-31",
            "2026-08-31 2026-11-30 2027-02-28 2027-05-31 2027-08-31",
        ),
        (
            "FREQ=MONTHLY;BYMONTH=2,4",
            "2026-01-31",
            "2026-01-31 2026-02-28 2026-04-30 2027-02-28 2027-04-30",
        ),
        (
            "FREQ=YEARLY",
            "2024-02-29",
            "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29",
        ),
        (
            "FREQ=YEARLY;INTERVAL=2",
            "2024-02-29",
            "2024-02-29 2026-02-28 2028-02-29 2030-02-28 2032-02-29",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3,9",
            "2026-03-31",
            "2026-03-31 2026-09-30 2027-03-31 2027-09-30 2028-03-31",
        ),
        // Named, they only come where they are.
        (
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "2026-01-31",
            "2026-01-31 2026-03-31 2026-05-31 2026-07-31 2026-08-31",
        ),
        (
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "2024-02-29",
            "2024-02-29 2028-02-29 2032-02-29 2036-02-29 2040-02-29",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            "2026-01-31",
            "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31",
        ),
    ] {
        assert_eq!(written(rule, first, 5), expected, "{rule}");
    }
    // And across the year 2100, which has no leap day.
    assert_eq!(
        written("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2096-02-29", 2),
        "2096-02-29 2104-02-29"
    );
}

#[test]
fn weeks_start_where_the_rule_says() {
    // The example of RFC 5545: it matters where weeks are left out.
    let rule = "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU";
    assert_eq!(
        written(rule, "1997-08-05", 9),
        "1997-08-05 1997-08-10 1997-08-19 1997-08-24"
    );
    let sunday = format!("{rule};WKST=SU");
    assert_eq!(
        written(&sunday, "1997-08-05", 9),
        "1997-08-05 1997-08-17 1997-08-19 1997-08-31"
    );
    // And for the number of a week: the one that has the year's fourth day.
    assert_eq!(
        written("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "2025-12-29", 3),
        "2025-12-29 2027-01-04 2028-01-03"
    );
    assert_eq!(
        written("FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU;WKST=SU", "2026-01-04", 3),
        "2026-01-04 2027-01-03 2028-01-02"
    );
    assert_eq!(
        written("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=FR", "2026-12-25", 3),
        "2026-12-25 2027-01-01 2027-12-31"
    );
    assert_eq!(
        written("FREQ=YEARLY;BYWEEKNO=20", "2026-05-13", 3),
        "2026-05-13 2027-05-19 2028-05-17"
    );
}

#[test]
fn rules_as_people_have_them() {
    for (rule, first, expected) in [
        (
            "FREQ=DAILY;INTERVAL=3",
            "2026-12-30",
            "2026-12-30 2027-01-02 2027-01-05",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
            "2026-12-10",
            "2026-12-10 2026-12-11 2026-12-14",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
            "2026-12-10",
            "2026-12-10 2026-12-21 2026-12-24",
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            "2026-11-27",
            "2026-11-27 2026-12-25 2027-01-29",
        ),
        (
            "FREQ=MONTHLY;BYDAY=5MO",
            "2026-11-30",
            "2026-11-30 2027-03-29 2027-05-31",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-11-30",
            "2026-11-30 2026-12-31 2027-01-29",
        ),
        (
            "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1,-1",
            "2026-12-05",
            "2026-12-05 2026-12-27 2027-01-02",
        ),
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
            "2026-11-26",
            "2026-11-26 2027-11-25 2028-11-23",
        ),
        (
            "FREQ=YEARLY;BYDAY=20MO",
            "1997-05-19",
            "1997-05-19 1998-05-18 1999-05-17",
        ),
        (
            "FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200;COUNT=4",
            "1997-01-01",
            "1997-01-01 1997-04-10 1997-07-19",
        ),
        (
            "FREQ=YEARLY;BYYEARDAY=-1",
            "2026-12-31",
            "2026-12-31 2027-12-31 2028-12-31",
        ),
        (
            "FREQ=DAILY;BYMONTH=1;BYDAY=FR;BYMONTHDAY=13",
            "2023-01-13",
            "2023-01-13 2034-01-13 2040-01-13",
        ),
    ] {
        assert_eq!(written(rule, first, 3), expected, "{rule}");
    }
}

#[test]
fn interval_and_count_run_from_the_first_date() {
    let after = |rule: &str, first: &str, after: &str| {
        let date = Rule::parse(rule)
            .unwrap()
            .date_after(day(first), day(after));
        date.map(|date| date.to_string()).unwrap_or_default()
    };
    let rule = "FREQ=DAILY;INTERVAL=7";
    assert_eq!(after(rule, "2026-12-01", "2026-12-16"), "2026-12-22");
    assert_eq!(
        after("FREQ=WEEKLY;INTERVAL=2", "2026-12-01", "2026-12-10"),
        "2026-12-15"
    );
    assert_eq!(
        after("FREQ=MONTHLY;INTERVAL=5", "2026-01-31", "2031-01-01"),
        "2031-01-31"
    );
    // What was missed counts too.
    assert_eq!(
        after("FREQ=DAILY;COUNT=5", "2026-12-01", "2026-12-04"),
        "2026-12-05"
    );
    assert_eq!(after("FREQ=DAILY;COUNT=5", "2026-12-01", "2026-12-05"), "");
    // The first date is one of them, whatever the rule says of it.
    assert_eq!(
        after("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-12-10", "2026-12-10"),
        "2026-12-14"
    );
    assert_eq!(
        after("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-12-10", "2026-12-14"),
        ""
    );
    assert_eq!(
        after("FREQ=DAILY", "2026-12-10", "2026-12-01"),
        "2026-12-10"
    );
}

#[test]
fn what_never_comes_is_not_walked_to_for_ever() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=12;BYYEARDAY=1",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
        "FREQ=YEARLY;INTERVAL=9999",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;INTERVAL=9999;COUNT=9999",
        "FREQ=DAILY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;BYDAY=1MO",
    ] {
        if let Ok(rule) = Rule::parse(rule) {
            assert_eq!(
                rule.date_after(day("2026-12-10"), day("2026-12-10")),
                None,
                "{rule}"
            );
        }
    }
    for rule in [
        "FREQ=DAILY",
        "FREQ=WEEKLY",
        "FREQ=MONTHLY",
        "FREQ=YEARLY",
        "FREQ=DAILY;COUNT=9999",
    ] {
        let rule = Rule::parse(rule).unwrap();
        let last = day("9999-12-31");
        assert_eq!(rule.date_after(last, last), None);
        assert_eq!(rule.date_after(day("0001-01-01"), last), None);
    }
}

#[test]
fn weeks_are_numbered_as_calendars_do() {
    let (first, end) = (day("2020-01-01"), day("2060-01-01"));
    for (week, from_the_end) in [(1, false), (52, false), (53, false), (1, true)] {
        let sign = if from_the_end { "-" } else { "" };
        let rule = format!("FREQ=YEARLY;BYWEEKNO={sign}{week};BYDAY=MO,TU,WE,TH,FR,SA,SU");
        let is_in = |date: &NaiveDate| match from_the_end {
            true => (*date + chrono::Days::new(7)).iso_week().week() == 1,
            false => date.iso_week().week() == week,
        };
        let expected: Vec<_> = first
            .iter_days()
            .skip(1)
            .take_while(|d| *d < end)
            .filter(is_in)
            .collect();
        let walked: Vec<_> = dates(&rule, first)
            .skip(1)
            .take_while(|d| *d < end)
            .collect();
        assert_eq!(walked, expected, "{rule}");
    }
}

fn numbers(of: Vec<i16>, most: usize) -> impl Strategy<Value = Vec<i16>> {
    subsequence(of, 0..=most)
}

fn part(name: &str, list: &[String]) -> String {
    match list {
        [] => String::new(),
        list => format!(";{name}={}", list.join(",")),
    }
}

fn numbered(name: &str, list: &[i16]) -> String {
    part(
        name,
        &list.iter().map(ToString::to_string).collect::<Vec<_>>(),
    )
}

/// Rules on which RFC 5545 and the rrule crate are of one mind. It takes the first week to begin on
/// the first date for BYSETPOS, wants days that are numbered and days that are not at once, has
/// BYWEEKNO without a day mean all seven, and is not sure which week the days at New Year are in.
fn any_rule() -> impl Strategy<Value = String> {
    let freq = prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let ordinal = prop_oneof![4 => Just(None), 1 => (1_i16..=5).prop_map(Some), 1 => (-5_i16..=-1).prop_map(Some)];
    let week = prop_oneof![3 => Just(None), 1 => (2_i16..=51).prop_map(Some)];
    (
        (
            freq,
            1_i16..6,
            0_usize..7,
            prop::option::weighted(0.3, 1_i16..9),
        ),
        numbers((1..=12).collect(), 3),
        numbers((-31..=31).filter(|n| *n != 0).collect(), 2),
        numbers((-366..=366).step_by(7).filter(|n| *n != 0).collect(), 2),
        (
            ordinal,
            subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 0..=4),
        ),
        (week, numbers(vec![-2, -1, 1, 2, 3], 2)),
        any::<[bool; 6]>(),
    )
        .prop_map(
            |((freq, interval, start, count), months, month_days, year_days, days, more, with)| {
                let (ordinal, days) = days;
                let (week, positions) = more;
                let yearly = freq == "YEARLY";
                let week = week.filter(|_| yearly && !days.is_empty());
                let ordinal = ordinal.filter(|_| (yearly || freq == "MONTHLY") && week.is_none());
                let days = days.iter().map(|day| match ordinal {
                    Some(ordinal) => format!("{ordinal}{day}"),
                    None => (*day).to_owned(),
                });
                let days: Vec<_> = days.collect();
                let mut rule = format!("FREQ={freq};INTERVAL={interval}");
                if with[0] {
                    rule += &numbered("BYMONTH", &months);
                }
                if with[1] && freq != "WEEKLY" {
                    rule += &numbered("BYMONTHDAY", &month_days);
                }
                if with[2] && yearly {
                    rule += &numbered("BYYEARDAY", &year_days);
                }
                if with[3] || week.is_some() {
                    rule += &part("BYDAY", &days);
                }
                rule += &week
                    .map(|week| format!(";BYWEEKNO={week}"))
                    .unwrap_or_default();
                let chooses = ["BYMONTHDAY", "BYYEARDAY", "BYDAY"]
                    .iter()
                    .any(|p| rule.contains(p));
                if with[4] && chooses && week.is_none() && (yearly || freq == "MONTHLY") {
                    rule += &numbered("BYSETPOS", &positions);
                }
                rule += &format!(
                    ";WKST={}",
                    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][start]
                );
                rule + &count
                    .map(|count| format!(";COUNT={count}"))
                    .unwrap_or_default()
            },
        )
}

/// What the other implementation makes of it, up to a year.
fn theirs(rule: &str, first: NaiveDate, most: u16) -> Option<Vec<NaiveDate>> {
    let text = format!("DTSTART:{}T120000Z\nRRULE:{rule}", first.format("%Y%m%d"));
    let set: RRuleSet = text.parse().ok()?;
    let dates = set.all(most).dates;
    Some(
        dates
            .iter()
            .map(|date| date.date_naive())
            .filter(|date| date.year() < 2090)
            .collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn dates_are_those_of_another_implementation(
        rule in any_rule(),
        year in 2019_i32..2030,
        month in 1_u32..=12,
        start in 1_u32..=28,
    ) {
        prop_assume!(Rule::parse(&rule).is_ok());
        let start = NaiveDate::from_ymd_opt(year, month, start).unwrap();
        // It leaves a first date out that does not fit its rule.
        let fitting = theirs(&rule, start, 1).unwrap_or_default();
        prop_assume!(!fitting.is_empty());
        let theirs = theirs(&rule, fitting[0], 12).unwrap();
        let ours = dates(&rule, fitting[0]).take_while(|date| date.year() < 2090);
        let ours: Vec<_> = ours.take(12).collect();
        prop_assert_eq!(ours, theirs, "{}", rule);
    }

    #[test]
    fn a_walk_from_anywhere_joins_the_series(rule in any_rule(), days in 0_u64..800) {
        prop_assume!(Rule::parse(&rule).is_ok());
        let first = day("2026-12-10");
        let after = first + chrono::Days::new(days);
        let joined = Rule::parse(&rule).unwrap().date_after(first, after);
        let walked = dates(&rule, first).find(|date| *date > after);
        prop_assert_eq!(joined, walked);
    }
}
