//! `tidings replay`, as operators run it beside a server.

use serde_json::json;
use sqlx::Executor;

use crate::{
    kit::TestApp,
    process::run,
    rest::stats::{once, sum},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_statistics_come_back_beside_the_server() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for title in ["A", "B"] {
        ada.post("/api/tasks", json!({ "title": title }))
            .await
            .status(201);
    }
    once(&ada, "/api/stats", |s| sum(&s["created"]) == 2).await;
    app.database()
        .await
        .execute("DELETE FROM statistics")
        .await
        .unwrap();
    let stats = ada.get("/api/stats").await.expect(200);
    assert_eq!(sum(&stats["created"]), 0);
    let url = app.inside.config.database_url.clone();
    let me = ada.get("/api/me").await.expect(200);
    let user = me["id"].as_str().unwrap();
    for (rest, events) in [(&["--user", user][..], "2"), (&[], "2")] {
        let arguments = [&["replay", "--consumer", "analytics"], rest].concat();
        let (output, _) = run(&arguments, &[("DATABASE_URL", &url)]).await;
        assert!(output.status.success());
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told, format!("{events} events were replayed\n"));
        let stats = ada.get("/api/stats").await.expect(200);
        assert_eq!(sum(&stats["created"]), 2);
    }
    let (output, _) = run(&["replay", "--consumer", "live"], &[]).await;
    assert_eq!(output.status.code(), Some(2));
}
