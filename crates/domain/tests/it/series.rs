//! What follows on a task that is completed, in the person's zone and on the days when clocks change.

use serde_json::{Value, json};
use tidings_domain::{
    series::{Occurrence, Place, next_id, skipped, successor},
    task::Task,
    time::{Timestamp, TzDatabase},
};

/// A task with these fields, made long ago.
fn task(fields: Value) -> Task {
    let mut task = json!({
        "id": "0198c0de-0000-7000-8000-000000000001", "title": "Water the plants", "description": "",
        "completed": false, "completed_at": null, "priority": "none", "tags": ["home"],
        "due_date": null, "due_time": null, "time_zone": "Europe/Berlin", "remind_at": null,
        "recurrence": null, "series_id": null, "position": "a0", "version": 1,
        "created_at": "2020-01-01T00:00:00.000Z", "updated_at": "2020-01-01T00:00:00.000Z",
        "deleted_at": null,
    });
    for (name, value) in fields.as_object().unwrap() {
        task[name] = value.clone();
    }
    serde_json::from_value(task).unwrap()
}

fn at(text: &str) -> Timestamp {
    format!("{text}Z").parse().unwrap()
}

fn place(zone: &str) -> Place<'_> {
    Place {
        zone,
        zones: &TzDatabase,
    }
}

/// The task that follows when it is completed at an instant; it has the fields of the one before.
fn complete(
    task: &Task,
    known: Option<&Occurrence>,
    when: &str,
    zone: &str,
) -> Option<(Task, Occurrence)> {
    let done = Task {
        completed: true,
        completed_at: Some(at(when)),
        ..task.clone()
    };
    let (patch, occurrence) = successor(&done, known, place(zone))?;
    assert_eq!(patch.title.as_ref(), Some(&task.title));
    assert_eq!((patch.completed, &patch.position), (None, &None));
    let next = Task {
        id: next_id(task.id),
        due_date: patch.due_date.unwrap(),
        remind_at: patch.remind_at.unwrap(),
        ..task.clone()
    };
    Some((next, occurrence))
}

/// The date that follows, of a first task.
fn next(fields: Value, when: &str) -> String {
    let next = complete(&task(fields), None, when, "Europe/Berlin");
    next.map(|(task, _)| task.due_date.unwrap().to_string())
        .unwrap_or_default()
}

fn due(rule: &str, date: &str) -> Value {
    json!({ "recurrence": { "rule": rule, "from": "due" }, "due_date": date })
}

fn completion(rule: &str) -> Value {
    json!({ "recurrence": { "rule": rule, "from": "completion" } })
}

#[test]
fn the_next_date_lies_after_the_due_date_and_after_today() {
    let daily = || due("FREQ=DAILY", "2026-12-10");
    assert_eq!(next(daily(), "2026-12-10T12:00:00"), "2026-12-11");
    // Early, and late: what was missed is not piled up.
    assert_eq!(next(daily(), "2026-12-07T12:00:00"), "2026-12-11");
    assert_eq!(next(daily(), "2026-12-20T12:00:00"), "2026-12-21");
    let weekly = || due("FREQ=WEEKLY;INTERVAL=2", "2026-12-10");
    assert_eq!(next(weekly(), "2026-12-23T12:00:00"), "2026-12-24");
    assert_eq!(next(weekly(), "2026-12-24T12:00:00"), "2027-01-07");
    // Today is where the person is, for a task without a time.
    assert_eq!(next(daily(), "2026-12-11T22:59:00"), "2026-12-12");
    assert_eq!(next(daily(), "2026-12-11T23:01:00"), "2026-12-13");
}

#[test]
fn a_task_with_a_time_goes_by_its_own_zone() {
    let mut fields = due("FREQ=DAILY", "2026-12-10");
    fields["due_time"] = json!("09:00");
    fields["time_zone"] = json!("America/New_York");
    assert_eq!(next(fields.clone(), "2026-12-12T02:00:00"), "2026-12-12");
    assert_eq!(next(fields, "2026-12-12T06:00:00"), "2026-12-13");
}

#[test]
fn from_completion_it_is_counted_from_that_day() {
    for date in [json!(null), json!("2026-12-01"), json!("2027-01-31")] {
        let mut fields = completion("FREQ=DAILY;INTERVAL=3");
        fields["due_date"] = date;
        assert_eq!(next(fields, "2026-12-10T12:00:00"), "2026-12-13");
    }
    assert_eq!(
        next(completion("FREQ=MONTHLY"), "2027-01-31T12:00:00"),
        "2027-02-28"
    );
    assert_eq!(
        next(completion("FREQ=WEEKLY;BYDAY=MO"), "2026-12-10T12:00:00"),
        "2026-12-14"
    );
    assert_eq!(
        next(completion("FREQ=DAILY"), "2026-12-10T23:30:00"),
        "2026-12-12"
    );
}

#[test]
fn count_and_until_end_a_series() {
    let mut left = task(due("FREQ=DAILY;COUNT=3", "2026-12-10"));
    let mut known = None;
    let mut made = Vec::new();
    while let Some((task, stands)) = complete(&left, known.as_ref(), "2026-12-09T12:00:00", "UTC") {
        made.push(task.due_date.unwrap().to_string());
        (left, known) = (task, Some(stands));
    }
    assert_eq!(made, ["2026-12-11", "2026-12-12"]);
    // From completion, each one counts.
    let (mut left, mut known, mut made) = (task(completion("FREQ=WEEKLY;COUNT=3")), None, 0);
    while let Some((task, stands)) = complete(&left, known.as_ref(), "2026-12-09T12:00:00", "UTC") {
        (left, known, made) = (task, Some(stands), made + 1);
    }
    assert_eq!(made, 2);
    let until = |until: &str, time: Value, when: &str| {
        let mut fields = due(&format!("FREQ=DAILY;UNTIL={until}"), "2026-12-10");
        fields["due_time"] = time;
        next(fields, when)
    };
    let noon = "2026-12-10T12:00:00";
    assert_eq!(until("20261211", json!(null), noon), "2026-12-11");
    assert_eq!(until("20261211", json!("18:00"), noon), "2026-12-11");
    assert_eq!(until("20261210", json!(null), noon), "");
    assert_eq!(
        until("20261211T170000Z", json!("18:00"), noon),
        "2026-12-11"
    );
    assert_eq!(until("20261211T165959Z", json!("18:00"), noon), "");
    assert_eq!(until("20261211T180000", json!("18:00"), noon), "2026-12-11");
    assert_eq!(until("20261211T175900", json!("18:00"), noon), "");
    assert_eq!(until("20261210T230000Z", json!(null), noon), "2026-12-11");
    assert_eq!(until("20261210T220000Z", json!(null), noon), "");
}

#[test]
fn the_first_date_is_carried_from_one_to_the_next() {
    let mut left = task(due("FREQ=MONTHLY", "2027-01-31"));
    let mut known = None;
    let mut made = Vec::new();
    for _ in 0..4 {
        let next = complete(&left, known.as_ref(), "2027-01-01T12:00:00", "UTC").unwrap();
        made.push(next.0.due_date.unwrap().to_string());
        (left, known) = (next.0, Some(next.1));
    }
    assert_eq!(
        made,
        ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    );
    // One that was moved moves none after it.
    left.due_date = Some("2027-05-20".parse().unwrap());
    let (after, _) = complete(&left, known.as_ref(), "2027-01-01T12:00:00", "UTC").unwrap();
    assert_eq!(after.due_date, Some("2027-05-31".parse().unwrap()));
    // A rule that was changed begins anew, where it was changed.
    let fresh = task(due("FREQ=DAILY;INTERVAL=2;COUNT=2", "2027-05-20"));
    let (after, stands) = complete(&fresh, known.as_ref(), "2027-01-01T12:00:00", "UTC").unwrap();
    assert_eq!(after.due_date, Some("2027-05-22".parse().unwrap()));
    assert_eq!((stands.first, stands.nth), (fresh.due_date, 2));
    assert_eq!(
        complete(&after, Some(&stands), "2027-01-01T12:00:00", "UTC"),
        None
    );
}

/// The due instant and reminder of the next few, a day apart each.
fn instants(
    zone: &str,
    date: &str,
    time: &str,
    remind: &str,
    count: usize,
) -> Vec<(String, String)> {
    let mut fields = due("FREQ=DAILY", date);
    fields["due_time"] = json!(time);
    fields["time_zone"] = json!(zone);
    fields["remind_at"] = json!(format!("{remind}:00.000Z"));
    let (mut left, mut known) = (task(fields), None);
    let minutes = |at: Timestamp| at.to_string()[..16].to_owned();
    let mut made = Vec::new();
    for _ in 0..count {
        let next = complete(&left, known.as_ref(), "1980-01-01T12:00:00", "UTC").unwrap();
        (left, known) = (next.0, Some(next.1));
        made.push((
            minutes(left.due_at(&TzDatabase).unwrap()),
            minutes(left.remind_at.unwrap()),
        ));
    }
    made
}

#[test]
fn times_and_reminders_keep_their_place_in_the_day_when_clocks_change() {
    let told = |made: Vec<(String, String)>| -> Vec<String> {
        made.into_iter()
            .map(|(due, remind)| format!("{due} {remind}"))
            .collect()
    };
    // Berlin goes from 2:00 to 3:00 on 29 March 2026. Due 2:30, reminded at 2:15: once an hour later.
    assert_eq!(
        told(instants(
            "Europe/Berlin",
            "2026-03-27",
            "02:30",
            "2026-03-27T01:15",
            3
        )),
        [
            "2026-03-28T01:30 2026-03-28T01:15",
            "2026-03-29T01:30 2026-03-29T01:15",
            "2026-03-30T00:30 2026-03-30T00:15"
        ],
    );
    // And from 3:00 back to 2:00 on 25 October: the first of both.
    assert_eq!(
        told(instants(
            "Europe/Berlin",
            "2026-10-23",
            "02:30",
            "2026-10-22T16:00",
            3
        )),
        [
            "2026-10-24T00:30 2026-10-23T16:00",
            "2026-10-25T00:30 2026-10-24T16:00",
            "2026-10-26T01:30 2026-10-25T17:00"
        ],
    );
    assert_eq!(
        told(instants(
            "America/New_York",
            "2026-03-06",
            "02:30",
            "2026-03-06T07:00",
            3
        )),
        [
            "2026-03-07T07:30 2026-03-07T07:00",
            "2026-03-08T07:30 2026-03-08T07:00",
            "2026-03-09T06:30 2026-03-09T06:00"
        ],
    );
    assert_eq!(
        told(instants(
            "America/New_York",
            "2026-10-30",
            "01:30",
            "2026-10-30T05:00",
            3
        )),
        [
            "2026-10-31T05:30 2026-10-31T05:00",
            "2026-11-01T05:30 2026-11-01T05:00",
            "2026-11-02T06:30 2026-11-02T06:00"
        ],
    );
    // Half an hour only.
    assert_eq!(
        told(instants(
            "Australia/Lord_Howe",
            "2026-10-02",
            "02:15",
            "2026-10-01T15:40",
            3
        )),
        [
            "2026-10-02T15:45 2026-10-02T15:40",
            "2026-10-03T15:45 2026-10-03T15:40",
            "2026-10-04T15:15 2026-10-04T15:10"
        ],
    );
    assert_eq!(
        told(instants(
            "Australia/Lord_Howe",
            "2026-04-03",
            "01:45",
            "2026-04-02T14:40",
            3
        )),
        [
            "2026-04-03T14:45 2026-04-03T14:40",
            "2026-04-04T14:45 2026-04-04T14:40",
            "2026-04-05T15:15 2026-04-05T15:10"
        ],
    );
    // Never, but three quarters of an hour aside; a quarter was left out once, at midnight.
    assert_eq!(
        told(instants(
            "Asia/Kathmandu",
            "2026-03-28",
            "00:00",
            "2026-03-27T18:00",
            2
        )),
        [
            "2026-03-28T18:15 2026-03-28T18:00",
            "2026-03-29T18:15 2026-03-29T18:00"
        ],
    );
    assert_eq!(
        told(instants(
            "Asia/Kathmandu",
            "1985-12-30",
            "00:05",
            "1985-12-29T18:35",
            3
        )),
        [
            "1985-12-30T18:35 1985-12-30T18:35",
            "1985-12-31T18:35 1985-12-31T18:35",
            "1986-01-01T18:20 1986-01-01T18:20"
        ],
    );
}

#[test]
fn a_reminder_that_was_set_anew_counts() {
    let mut fields = due("FREQ=DAILY", "2026-03-28");
    fields["remind_at"] = json!("2026-03-28T01:30:10.500Z");
    let (mut left, stands) = complete(&task(fields), None, "2026-03-01T12:00:00", "UTC").unwrap();
    assert_eq!(
        left.remind_at.unwrap().to_string(),
        "2026-03-29T01:30:10.500Z"
    );
    left.remind_at = Some(at("2026-03-29T05:00:00"));
    let (next, _) = complete(&left, Some(&stands), "2026-03-01T12:00:00", "UTC").unwrap();
    assert_eq!(
        next.remind_at.unwrap().to_string(),
        "2026-03-30T05:00:00.000Z"
    );
    // Without a due date it goes along with the day.
    let mut fields = completion("FREQ=DAILY;INTERVAL=3");
    fields["remind_at"] = json!("2026-03-27T17:00:00.000Z");
    let (next, _) = complete(&task(fields), None, "2026-03-27T18:00:00", "Europe/Berlin").unwrap();
    assert_eq!(next.due_date, Some("2026-03-30".parse().unwrap()));
    assert_eq!(
        next.remind_at.unwrap().to_string(),
        "2026-03-30T16:00:00.000Z"
    );
}

#[test]
fn no_reminder_lies_before_the_completion() {
    let mut fields = due("FREQ=WEEKLY", "2026-12-10");
    fields["remind_at"] = json!("2026-12-03T08:00:00.000Z");
    let first = task(fields);
    let late = "2026-12-12T12:00:00";
    let (second, stands) = complete(&first, None, late, "UTC").unwrap();
    assert_eq!(second.due_date, Some("2026-12-17".parse().unwrap()));
    assert_eq!(second.remind_at, None);
    // The one after it has its own again, at the old distance.
    let (third, _) = complete(&second, Some(&stands), "2026-12-16T12:00:00", "UTC").unwrap();
    assert_eq!(third.remind_at, Some(at("2026-12-17T08:00:00.000")));
    // Nor has one that is skipped a reminder in the past.
    let (patch, _) = skipped(&first, None, at(late), place("UTC")).unwrap();
    assert_eq!(patch.remind_at, Some(None));
    // One that somebody took away stays away.
    let (kept, stands) = complete(&first, None, "2026-12-09T12:00:00", "UTC").unwrap();
    assert!(kept.remind_at.is_some());
    let without = Task {
        remind_at: None,
        ..kept
    };
    let (after, _) = complete(&without, Some(&stands), "2026-12-09T12:00:00", "UTC").unwrap();
    assert_eq!(after.remind_at, None);
}

#[test]
fn nothing_follows_on_what_does_not_repeat_or_is_open() {
    assert_eq!(
        next(json!({ "due_date": "2026-12-10" }), "2026-12-10T12:00:00"),
        ""
    );
    let open = task(due("FREQ=DAILY", "2026-12-10"));
    assert_eq!(successor(&open, None, place("UTC")), None);
    assert_eq!(
        next(due("FREQ=DAILY", "9999-12-31"), "2026-12-10T12:00:00"),
        ""
    );
}

#[test]
fn to_skip_goes_on_to_today_or_later() {
    let skip = |fields: Value, when: &str| {
        let next = skipped(&task(fields), None, at(when), place("Europe/Berlin"));
        next.map(|(patch, _)| patch.due_date.flatten().unwrap().to_string())
            .unwrap_or_default()
    };
    let noon = "2026-12-10T12:00:00";
    assert_eq!(skip(due("FREQ=DAILY", "2026-12-10"), noon), "2026-12-11");
    assert_eq!(skip(due("FREQ=DAILY", "2026-12-12"), noon), "2026-12-13");
    assert_eq!(skip(due("FREQ=DAILY", "2026-12-01"), noon), "2026-12-10");
    assert_eq!(
        skip(due("FREQ=DAILY;COUNT=2", "2026-12-10"), noon),
        "2026-12-11"
    );
    assert_eq!(skip(due("FREQ=DAILY;COUNT=1", "2026-12-10"), noon), "");
    assert_eq!(skip(completion("FREQ=WEEKLY"), noon), "2026-12-17");
    let mut late = completion("FREQ=WEEKLY");
    late["due_date"] = json!("2026-12-15");
    assert_eq!(skip(late, noon), "2026-12-22");
    // It is still the series of its first date.
    let first = task(due("FREQ=MONTHLY", "2027-01-31"));
    let (patch, stands) = skipped(&first, None, at(noon), place("UTC")).unwrap();
    let moved = Task {
        due_date: patch.due_date.unwrap(),
        ..first
    };
    assert_eq!(moved.due_date, Some("2027-02-28".parse().unwrap()));
    let (next, _) = complete(&moved, Some(&stands), noon, "UTC").unwrap();
    assert_eq!(next.due_date, Some("2027-03-31".parse().unwrap()));
}
