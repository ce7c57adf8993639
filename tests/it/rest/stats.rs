//! Statistics, from a change to the answer and the page.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::changes::{add, path};
use crate::{
    kit::{Person, TestApp, on_each_database},
    live::tab::DEADLINE,
};

/// The statistics, once `holds`.
pub(crate) async fn once(person: &Person, at: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let stats = person.get(at).await.expect(200);
        if holds(&stats) {
            return stats;
        }
        assert!(Instant::now() < deadline, "{stats}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// All that were counted.
pub(crate) fn sum(days: &Value) -> u64 {
    let days = days.as_array().unwrap().iter();
    days.map(|day| day["count"].as_u64().unwrap()).sum()
}

on_each_database!(TestApp: what_happens_is_counted_on_its_day, a_person_counts_alone);

async fn what_happens_is_counted_on_its_day(app: TestApp) {
    app.clock.set("2026-11-18T22:30:00.000Z");
    let ada = app.person_in("Ada", "Europe/Helsinki").await;
    let task = add(
        &ada,
        json!({ "title": "A", "priority": "high", "tags": ["home"] }),
    )
    .await;
    app.clock.set("2026-11-20T12:00:00.000Z");
    for title in ["B", "C"] {
        add(&ada, json!({ "title": title })).await;
    }
    let complete = format!("{}/complete", path(&task));
    ada.patch(&complete, json!({})).await.status(200);
    let stats = once(&ada, "/api/stats?days=3", |s| sum(&s["completed"]) == 1).await;
    // Half past ten in UTC is the day after in Helsinki.
    let expected = json!({
        "created": [
            { "date": "2026-11-18", "count": 0 },
            { "date": "2026-11-19", "count": 1 },
            { "date": "2026-11-20", "count": 2 },
        ],
        "completed": [
            { "date": "2026-11-18", "count": 0 },
            { "date": "2026-11-19", "count": 0 },
            { "date": "2026-11-20", "count": 1 },
        ],
        "completion_rate": 1.0 / 3.0,
        "median_minutes": 2250,
        "streak_days": 1,
        "points": 5,
    });
    assert_eq!(stats, expected);
    // Elsewhere, other days.
    let moved = json!({ "time_zone": "America/New_York" });
    ada.patch("/api/me", moved).await.status(200);
    let stats = ada.get("/api/stats?days=3").await.expect(200);
    assert_eq!(
        stats["created"][0],
        json!({ "date": "2026-11-18", "count": 1 })
    );
    // The page shows the same.
    let page = ada.get("/statistics?days=7").await;
    page.status(200);
    for part in [
        "Last 7 days",
        "33 %",
        "1 d 13 h",
        "role=\"img\"",
        "#home",
        "<table>",
        "1 day in a row",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("style=\""));
}

async fn a_person_counts_alone(app: TestApp) {
    let (ada, bob) = (app.person("Ada").await, app.person("Bob").await);
    add(&ada, json!({ "title": "A" })).await;
    once(&ada, "/api/stats", |s| sum(&s["created"]) == 1).await;
    let stats = bob.get("/api/stats").await.expect(200);
    assert_eq!(
        (
            sum(&stats["created"]),
            stats["created"].as_array().unwrap().len()
        ),
        (0, 30)
    );
    assert_eq!(
        (&stats["completion_rate"], &stats["median_minutes"]),
        (&json!(0.0), &Value::Null)
    );
    let program = bob.program().await;
    assert_eq!(program.get("/api/stats").await.expect(200), stats);
    for days in ["1", "366"] {
        let stats = bob
            .get(&format!("/api/stats?days={days}"))
            .await
            .expect(200);
        assert_eq!(
            stats["completed"].as_array().unwrap().len().to_string(),
            days
        );
        bob.get(&format!("/statistics?days={days}"))
            .await
            .status(200);
    }
    for days in ["0", "367", "-1", "+7", "7.5", "x"] {
        let path = format!("/api/stats?days={days}");
        bob.get(&path)
            .await
            .refused(422, "validation_failed", &["days"]);
        bob.get(&format!("/statistics?days={days}"))
            .await
            .status(200);
    }
}
