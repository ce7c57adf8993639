//! Whether what is done with costs anything: the same work with a hundred and with a hundred
//! thousand completed tasks.

use std::time::Duration;

use crate::{
    Outcome,
    http::{get, post},
    load::{Until, drive},
    person::Person,
    process::Process,
    report,
};

/// Ten thousand each: one may have twenty thousand in all.
const PEOPLE: usize = 10;
const FEW: usize = 100;
const MANY: usize = 100_000;
const SPAN: Until = Until::Passed(Duration::from_secs(2));

/// Creating, the Inbox and a search, before and after.
pub(crate) async fn figures() -> Outcome {
    report::group("With 100,000 completed tasks, beside 100 (aim: the same)");
    let server = Process::tidings().await?;
    let people = Person::several(server.address, PEOPLE).await?;
    let (reader, writers) = people.split_first().ok_or("nobody")?;
    reader.fill(server.address, 50).await?;
    let rare = post("/api/tasks", &reader.cookie, r#"{"title":"Call Zanzibar"}"#);
    drive(server.address, 1, Until::Sent(1), |_| rare.clone()).await?;

    let complete = |per_person: usize| {
        drive(server.address, PEOPLE, Until::Sent(per_person), |n| {
            people.get(n).map(|p| p.create(true)).unwrap_or_default()
        })
    };
    let create = || {
        drive(server.address, 64, SPAN, |n| {
            writers
                .get(n % writers.len())
                .map(|w| w.create(false))
                .unwrap_or_default()
        })
    };
    let inbox = || drive(server.address, 64, SPAN, |_| get("/inbox", &reader.cookie));

    let search = || {
        let request = get("/api/tasks?q=zanz", &reader.cookie);
        drive(server.address, 64, SPAN, move |_| request.clone())
    };

    complete(FEW / PEOPLE).await?;
    let (create_few, inbox_few, search_few) = (create().await?, inbox().await?, search().await?);
    complete((MANY - FEW) / PEOPLE).await?;
    let (create_many, inbox_many, search_many) = (create().await?, inbox().await?, search().await?);
    report::kept("create, 64 connections", create_few, create_many);
    report::kept("Inbox page of 50, 64 connections", inbox_few, inbox_many);
    report::kept(
        "search for a rare word, 64 connections",
        search_few,
        search_many,
    );
    Ok(())
}
