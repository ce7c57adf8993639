//! Everything of another person is not there: every route is walked signed out, and as somebody who
//! knows the ids of what is not theirs. A route or server function that is missing here fails.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    kit::{Person, TestApp},
    notifications::reminder,
};

/// What a route is to somebody who should not be there.
enum Door {
    /// Open to everybody.
    Open(u16),
    /// A page: who is signed out is led to sign in.
    Page,
    /// A page that names something: to others, not found.
    PageOf(&'static str),
    /// Only one's own: 401 to who is signed out, and there is no way to name another's.
    Own,
    /// Names something by its id: to others, not found.
    Of(&'static str, Value),
    /// Walked elsewhere.
    Elsewhere,
}

/// Ada's things.
struct Things {
    task: String,
    trashed: String,
    token: String,
    notification: String,
}

fn door(route: &str) -> Option<Door> {
    use Door::{Elsewhere, Of, Open, Own, Page, PageOf};
    Some(match route {
        "GET /healthz" | "GET /readyz" | "GET /api/openapi.json" | "GET /api/docs" => Open(200),
        "GET /unsubscribe" | "POST /unsubscribe" => Open(404),
        "GET /sign-in" | "GET /sign-up" | "GET /forgot" | "GET /reset" => Open(200),
        // As it stands it names no schema.
        "GET /schemas/{type}/{file}" => Open(404),
        "GET /" => Open(303),
        "POST /api/auth/register" | "POST /api/auth/login" => Open(415),
        "POST /api/auth/reset" | "POST /api/auth/reset/confirm" => Open(415),
        "POST /api/auth/logout" | "GET /api/me" | "PATCH /api/me" | "DELETE /api/me" => Own,
        "POST /api/me/password" | "GET /api/tokens" | "POST /api/tokens" => Own,
        "GET /api/tasks" | "POST /api/tasks" | "GET /api/events" | "GET /api/audit" => Own,
        "GET /api/stats" => Own,
        "GET /ws" => Own,
        "GET /api/notifications" | "POST /api/notifications/read" => Own,
        "GET /api/me/notifications" | "PUT /api/me/notifications" => Own,
        "GET /api/push/key" => Own,
        "POST /api/push/subscriptions" | "DELETE /api/push/subscriptions" => Own,
        "POST /api/notifications/{id}/read" => Of("notification", Value::Null),
        "POST /api/notifications/{id}/snooze" => Of("notification", json!({ "for": "1h" })),
        "DELETE /api/tokens/{id}" => Of("token", Value::Null),
        "GET /api/tasks/{id}" | "GET /api/tasks/{id}/history" => Of("task", Value::Null),
        "PUT /api/tasks/{id}" | "PATCH /api/tasks/{id}" => Of("task", json!({ "title": "Mine" })),
        "DELETE /api/tasks/{id}" => Of("task", Value::Null),
        "PATCH /api/tasks/{id}/complete" => Of("task", json!({})),
        "POST /api/tasks/{id}/skip" => Of("task", json!({})),
        "POST /api/tasks/{id}/restore" => Of("trashed", json!({})),
        "DELETE /api/tasks/{id}/permanently" => Of("trashed", Value::Null),
        "GET /inbox" | "GET /today" | "GET /upcoming" | "GET /completed" => Page,
        "GET /tags/{tag}" | "GET /search" | "GET /trash" | "GET /activity" => Page,
        "GET /account" | "GET /notifications" | "GET /statistics" | "GET /audit" => Page,
        "POST /audit.csv" => Own,
        "GET /tasks/{id}" => PageOf("task"),
        "POST /rpc/{*name}" => Elsewhere,
        _ => return None,
    })
}

impl Things {
    async fn of(app: &TestApp, ada: &Person) -> Self {
        let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
        let task = ada
            .post("/api/tasks", json!({ "title": "Secret plans" }))
            .await;
        let trashed = ada
            .post("/api/tasks", json!({ "title": "Secret rubbish" }))
            .await;
        let trashed = text(&trashed.expect(201));
        ada.delete(&format!("/api/tasks/{trashed}"))
            .await
            .status(204);
        let token = ada.post("/api/tokens", json!({ "name": "Script" })).await;
        Self {
            task: text(&task.expect(201)),
            trashed,
            token: text(&token.expect(201)),
            notification: text(&reminder(app, ada).await),
        }
    }

    fn id(&self, what: &str) -> &str {
        match what {
            "task" => &self.task,
            "trashed" => &self.trashed,
            "token" => &self.token,
            "notification" => &self.notification,
            _ => panic!("{what}"),
        }
    }

    /// Everything that Ada sees of hers.
    async fn seen(&self, ada: &Person) -> Value {
        json!([
            ada.get("/api/tasks").await.expect(200),
            ada.get("/api/tasks?view=trash").await.expect(200),
            ada.get("/api/tokens").await.expect(200),
            ada.get("/api/notifications").await.expect(200),
            ada.get("/api/me/notifications").await.expect(200),
            ada.get("/api/me").await.expect(200),
            ada.get("/api/events").await.expect(200),
        ])
    }
}

async fn ask(person: &Person, method: &str, path: &str, body: &Value) -> crate::kit::Answer {
    if body.is_null() {
        return person.send(method, path, &[], String::new()).await;
    }
    let json = [("content-type", "application/json")];
    person.send(method, path, &json, body.to_string()).await
}

#[tokio::test]
async fn strangers_find_every_route_closed() {
    let app = TestApp::new().await;
    let (ada, bob, nobody) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.nobody(),
    );
    let things = Things::of(&app, &ada).await;
    let before = things.seen(&ada).await;
    for (method, path) in tidings::http::table() {
        let route = format!("{method} {path}");
        let method = method.as_str();
        let door = door(&route).unwrap_or_else(|| panic!("{route} is missing from the table"));
        match door {
            Door::Open(status) => nobody
                .send(method, path, &[], String::new())
                .await
                .status(status),
            Door::Elsewhere => {}
            Door::Page => {
                let answer = nobody.get(&path.replace("{tag}", "home")).await;
                assert!(
                    answer.header("location").starts_with("/sign-in?next="),
                    "{route}"
                );
                answer.status(303);
                let page = bob.get(&path.replace("{tag}", "home")).await;
                assert!(!page.text.contains("Secret"), "{route}");
                page.status(200);
            }
            Door::PageOf(what) => {
                let path = path.replace("{id}", things.id(what));
                nobody.get(&path).await.status(303);
                let page = bob.get(&path).await;
                assert!(!page.text.contains("Secret"), "{route}");
                page.status(404);
                ada.get(&path).await.status(200);
            }
            Door::Own => {
                let answer = nobody.send(method, path, &[], String::new()).await;
                assert_eq!(answer.code, 401, "{route}: {}", answer.text);
            }
            Door::Of(what, body) => {
                let unknown = path.replace("{id}", &Uuid::now_v7().to_string());
                let path = path.replace("{id}", things.id(what));
                let answer = ask(&nobody, method, &path, &body).await;
                answer.refused(401, "unauthenticated", &[]);
                let (hers, none) = (
                    ask(&bob, method, &path, &body).await,
                    ask(&bob, method, &unknown, &body).await,
                );
                assert_eq!(hers.text, none.text, "{route}");
                hers.refused(404, "not_found", &[]);
            }
        }
    }
    assert_eq!(things.seen(&ada).await, before);
}

/// What a server function is to somebody who should not be there.
enum Function {
    /// Open to everybody, with this outcome for no arguments at all.
    Open,
    /// One's own alone; these arguments would do.
    Own(&'static str),
    /// Names Ada's task; form fields but for the id.
    Of(&'static str, &'static str),
    /// The same in JSON, the whole of it.
    OfJson(Value),
    /// One's own alone, asked in JSON.
    OwnJson(Value),
}

fn function(name: &str, things: &Things) -> Option<Function> {
    use Function::{Of, OfJson, Open, Own, OwnJson};
    let task = &things.task;
    Some(match name {
        "sign_up" | "sign_in" | "sign_out" => Open,
        "forgot_password" | "reset_password" => Open,
        "set_profile" => Own("name=Bob&time_zone=UTC&theme=dark"),
        "set_password" => Own("current=not+it+at+all&new=another+good+one"),
        "delete_account" => Own("password=not+it+at+all"),
        "read_notifications" | "set_notifications" | "remove_samples" => Own(""),
        "read_notification" | "snooze_notification" => Of("id", "notification"),
        "tokens" => OwnJson(json!({})),
        "create_token" => Own("name=Script"),
        "revoke_token" => Of("id", "token"),
        "add_task" => Own("text=Mine&seed=01a1fe0f-ba1b-7390-b84a-840e1f2ce1c7"),
        "complete_task" | "reopen_task" | "delete_task" | "edit_task" | "skip_task" => {
            Of("task_id", "task")
        }
        "restore_task" | "purge_task" => Of("task_id", "trashed"),
        "change" => OfJson(json!({ "change": {
            "mutation_id": Uuid::now_v7(), "task_id": task, "command": "delete",
        } })),
        "task" => OfJson(json!({ "id": task })),
        "history" => OfJson(json!({ "id": task, "after": 0 })),
        "list" => OwnJson(json!({ "query": { "view": "all", "q": "secret" } })),
        "activity" => OwnJson(json!({ "before": null })),
        _ => return None,
    })
}

#[tokio::test]
async fn strangers_find_every_server_function_closed() {
    let app = TestApp::new().await;
    let (ada, bob, nobody) = (
        app.person("Ada").await,
        app.person("Bob").await,
        app.nobody(),
    );
    let things = Things::of(&app, &ada).await;
    let before = things.seen(&ada).await;
    let names: BTreeSet<_> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.strip_prefix("/rpc/").unwrap())
        .collect();
    assert!(names.len() > 10);
    for name in names {
        let function = function(name, &things);
        let function = function.unwrap_or_else(|| panic!("{name} is missing from the table"));
        let path = format!("/rpc/{name}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let json = [("content-type", "application/json")];
        let (headers, body, names_hers) = match function {
            Function::Open => continue,
            Function::Own(fields) => (form, fields.to_owned(), false),
            Function::Of(field, what) => {
                let id = things.id(what);
                let rest = format!("seed={}&version=1&title=Mine&until=1h", Uuid::now_v7());
                (form, format!("{field}={id}&{rest}"), true)
            }
            Function::OfJson(body) => (json, body.to_string(), true),
            Function::OwnJson(body) => (json, body.to_string(), false),
        };
        let answer = nobody.send("POST", &path, &headers, body.clone()).await;
        assert_eq!(answer.code, 401, "{name}: {}", answer.text);
        let answer = bob.send("POST", &path, &headers, body).await;
        assert!(!answer.text.contains("Secret"), "{name}: {}", answer.text);
        if names_hers {
            assert_eq!(answer.code, 404, "{name}: {}", answer.text);
        }
    }
    assert_eq!(things.seen(&ada).await, before);
}
