//! Lists: views, filters, orders, walks, search.

use serde_json::{Value, json};

use super::changes::{add, path};
use crate::kit::{Person, TestApp};

async fn titles(person: &Person, query: &str) -> Vec<String> {
    let list = person.get(&format!("/api/tasks?{query}")).await.expect(200);
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|t| t["title"].as_str().unwrap().to_owned())
        .collect()
}

/// The same without regard to order.
async fn held(person: &Person, query: &str) -> Vec<String> {
    let mut titles = titles(person, query).await;
    titles.sort();
    titles
}

#[tokio::test]
async fn views_hold_what_they_say() {
    let app = TestApp::new().await;
    app.clock.set("2026-12-10T12:00:00Z");
    let ada = app.person("Ada").await;
    for (title, date) in [
        ("late", Some("2026-12-09")),
        ("today", Some("2026-12-10")),
        ("later", Some("2026-12-11")),
        ("some day", None),
    ] {
        add(&ada, json!({ "title": title, "due_date": date })).await;
    }
    add(
        &ada,
        json!({ "title": "done", "completed": true, "due_date": "2026-12-10" }),
    )
    .await;
    let gone = add(&ada, json!({ "title": "gone" })).await;
    ada.delete(&path(&gone)).await.status(204);
    let open = ["late", "later", "some day", "today"];
    assert_eq!(held(&ada, "view=inbox").await, open);
    assert_eq!(held(&ada, "view=today").await, ["late", "today"]);
    assert_eq!(held(&ada, "view=upcoming").await, ["later"]);
    assert_eq!(held(&ada, "view=completed").await, ["done"]);
    assert_eq!(held(&ada, "view=trash").await, ["gone"]);
    let all = ["done", "late", "later", "some day", "today"];
    assert_eq!(held(&ada, "view=all").await, all);
    assert_eq!(held(&ada, "").await, all);
    assert_eq!(
        held(&ada, "view=&q=&tag=&sort=&limit=&cursor=&as_of=").await,
        all
    );
    assert_eq!(held(&ada, "completed=true").await, ["done"]);
    assert_eq!(held(&ada, "view=inbox&completed=true").await, [""; 0]);
}

#[tokio::test]
async fn a_timed_task_counts_by_its_instant_and_an_all_day_one_by_its_date() {
    let app = TestApp::new().await;
    // In Auckland it is the 11th already.
    app.clock.set("2026-12-10T12:00:00Z");
    let ada = app.person_in("Ada", "Pacific/Auckland").await;
    let bob = app.person_in("Bob", "America/New_York").await;
    for person in [&ada, &bob] {
        for (title, date, time, zone) in [
            ("all day 10", "2026-12-10", None, "Europe/Berlin"),
            ("all day 11", "2026-12-11", None, "Europe/Berlin"),
            // 22:30 in New York, 16:30 the next day in Auckland.
            ("night", "2026-12-11", Some("04:30"), "Europe/Berlin"),
        ] {
            let fields = json!({ "title": title, "due_date": date, "due_time": time,
                "time_zone": zone });
            add(person, fields).await;
        }
    }
    assert_eq!(
        held(&ada, "view=today").await,
        ["all day 10", "all day 11", "night"]
    );
    assert_eq!(held(&ada, "view=upcoming").await, [""; 0]);
    assert_eq!(held(&bob, "view=today").await, ["all day 10", "night"]);
    assert_eq!(held(&bob, "view=upcoming").await, ["all day 11"]);
    assert_eq!(
        held(&bob, "due_before=2026-12-11").await,
        ["all day 10", "night"]
    );
    assert_eq!(held(&ada, "due_before=2026-12-11").await, ["all day 10"]);
}

#[tokio::test]
async fn filters_narrow_together() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for (title, tag, priority, date) in [
        ("a", "home", "high", Some("2026-12-09")),
        ("b", "home", "low", Some("2026-12-10")),
        ("c", "Home", "high", Some("2026-12-11")),
        ("d", "work", "high", None),
    ] {
        let fields = json!({ "title": title, "tags": [tag], "priority": priority,
            "due_date": date });
        add(&ada, fields).await;
    }
    assert_eq!(held(&ada, "tag=home").await, ["a", "b"]);
    assert_eq!(held(&ada, "priority=high").await, ["a", "c", "d"]);
    assert_eq!(held(&ada, "tag=home&priority=high").await, ["a"]);
    // Exclusive on both sides.
    assert_eq!(
        held(&ada, "due_after=2026-12-09&due_before=2026-12-11").await,
        ["b"]
    );
    assert_eq!(held(&ada, "due_before=2026-12-09").await, [""; 0]);
    assert_eq!(held(&ada, "due_after=2026-12-10").await, ["c"]);
}

#[tokio::test]
async fn search_takes_beginnings_of_words_without_case_or_accents() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    add(
        &ada,
        json!({ "title": "Café crème", "tags": ["Frühstück"] }),
    )
    .await;
    add(
        &ada,
        json!({ "title": "Tea", "description": "with milk\nand honey" }),
    )
    .await;
    assert_eq!(held(&ada, "q=CAFE").await, ["Café crème"]);
    assert_eq!(held(&ada, "q=cr%C3%A8+caf%C3%A9").await, ["Café crème"]);
    assert_eq!(held(&ada, "q=fruh").await, ["Café crème"]);
    assert_eq!(held(&ada, "q=hon+tea").await, ["Tea"]);
    assert_eq!(held(&ada, "q=oney").await, [""; 0]);
    assert_eq!(held(&ada, "q=tea+cafe").await, [""; 0]);
    assert_eq!(held(&ada, "q=%25").await.len(), 2);
    assert_eq!(held(&ada, "q=%22%27%3B+OR+1").await, [""; 0]);
}

#[tokio::test]
async fn every_order_can_be_walked_and_puts_nulls_last_both_ways() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for (n, (title, priority, date)) in [
        ("banana", "none", None),
        ("Äpfel", "urgent", Some("2026-12-10")),
        ("apple", "low", Some("2026-12-09")),
        ("Zebra", "high", None),
        ("apple", "medium", Some("2026-12-10")),
        ("cherry", "none", Some("2027-01-01")),
        ("date", "none", None),
    ]
    .into_iter()
    .enumerate()
    {
        app.clock.set(&format!("2026-12-01T00:00:{n:02}Z"));
        let fields = json!({ "title": title, "priority": priority, "due_date": date });
        add(&ada, fields).await;
    }
    for key in [
        "position",
        "due_date",
        "priority",
        "created_at",
        "updated_at",
        "title",
    ] {
        for sort in [key.to_owned(), format!("-{key}")] {
            let whole = ada
                .get(&format!("/api/tasks?sort={sort}"))
                .await
                .expect(200);
            assert_eq!(whole["next_cursor"], Value::Null);
            let whole = whole["items"].as_array().unwrap().clone();
            assert_eq!(whole.len(), 7);
            let mut walked = Vec::new();
            let mut cursor = String::new();
            loop {
                let at = format!("/api/tasks?sort={sort}&limit=2&cursor={cursor}");
                let part = ada.get(&at).await.expect(200);
                walked.extend(part["items"].as_array().unwrap().clone());
                match part["next_cursor"].as_str() {
                    Some(next) => next.clone_into(&mut cursor),
                    None => break,
                }
            }
            assert_eq!(walked, whole, "{sort}");
        }
    }
    let by = |sort: &'static str| titles(&ada, sort);
    let due = by("sort=due_date").await;
    assert_eq!(due[0], "apple");
    assert_eq!(due[3], "cherry");
    let late = by("sort=-due_date").await;
    assert_eq!(late[0], "cherry");
    assert_eq!(late[3], "apple");
    let priorities = by("sort=-priority").await;
    assert_eq!(priorities[..3], ["Äpfel", "Zebra", "apple"]);
    let titles = by("sort=title").await;
    let folded = [
        "Äpfel", "apple", "apple", "banana", "cherry", "date", "Zebra",
    ];
    assert_eq!(titles, folded);
    assert_eq!(by("sort=-created_at").await[0], "date");
}

#[tokio::test]
async fn a_walk_goes_on_while_tasks_come_and_go() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let mut tasks = Vec::new();
    for n in 0..6 {
        tasks.push(add(&ada, json!({ "title": format!("t{n}") })).await);
    }
    let first = ada.get("/api/tasks?sort=title&limit=3").await.expect(200);
    // The last one shown goes, one comes before the cursor, one after.
    ada.delete(&path(&tasks[2])).await.status(204);
    add(&ada, json!({ "title": "t1b" })).await;
    add(&ada, json!({ "title": "t4b" })).await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = titles(&ada, &format!("sort=title&cursor={cursor}")).await;
    assert_eq!(rest, ["t3", "t4", "t4b", "t5"]);
}

#[tokio::test]
async fn what_a_list_cannot_be_asked_is_named() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for (query, named) in [
        ("view=everything", "view"),
        ("view=Inbox", "view"),
        ("sort=colour", "sort"),
        ("sort=--title", "sort"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=e30", "cursor"),
        ("priority=huge", "priority"),
        ("completed=maybe", "completed"),
        ("due_before=soon", "due_before"),
        ("due_after=2026-13-01", "due_after"),
        ("as_of=then", "as_of"),
    ] {
        ada.get(&format!("/api/tasks?{query}"))
            .await
            .refused(422, "validation_failed", &[named]);
    }
    ada.get("/api/tasks?limit=200").await.expect(200);
    // A cursor goes with its own order.
    for n in 0..2 {
        add(&ada, json!({ "title": format!("t{n}") })).await;
    }
    let list = ada.get("/api/tasks?limit=1").await.expect(200);
    let cursor = list["next_cursor"].as_str().unwrap();
    ada.get(&format!("/api/tasks?sort=title&cursor={cursor}"))
        .await
        .refused(422, "validation_failed", &["cursor"]);
}
