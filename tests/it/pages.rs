//! Pages as the server renders them, and the plain forms in them.

use base64::{Engine, prelude::BASE64_URL_SAFE};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::kit::{Answer, PASSWORD, Person, TestApp};

const PRIVATE: [&str; 13] = [
    "/inbox",
    "/today",
    "/upcoming",
    "/completed",
    "/tags/home",
    "/search?q=milk",
    "/trash",
    "/activity",
    "/notifications",
    "/account",
    "/statistics?days=7",
    "/audit?kind=tasks",
    "/tasks/0198c0de-0000-7000-8000-000000000001",
];

/// What the page carries for the browser.
fn data(page: &Answer) -> Value {
    let start = "<script type=\"application/json\" id=\"page\">";
    let (_, rest) = page.text.split_once(start).expect(&page.text);
    let (json, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

async fn add(person: &Person, title: &str) -> Value {
    person
        .post("/api/tasks", json!({ "title": title }))
        .await
        .expect(201)
}

/// A page's seed, which its forms carry.
fn seed(page: &Answer) -> String {
    data(page)["seed"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn whoever_is_signed_out_is_led_to_sign_in() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    for page in PRIVATE {
        let answer = nobody.get(page).await;
        answer.status(303);
        let next = page
            .replace('/', "%2F")
            .replace('?', "%3F")
            .replace('=', "%3D");
        assert_eq!(answer.header("location"), format!("/sign-in?next={next}"));
    }
    let home = nobody.get("/").await;
    assert_eq!((home.code, &*home.header("location")), (303, "/inbox"));
    for page in ["/sign-in", "/sign-up"] {
        let page = nobody.get(page).await;
        page.status(200);
        assert_eq!(data(&page)["profile"], Value::Null);
    }
}

#[tokio::test]
async fn every_page_is_there_for_whoever_is_signed_in() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = add(&ada, "Water the plants").await;
    let own = format!("/tasks/{}", task["id"].as_str().unwrap());
    let (_, open) = PRIVATE.split_last().unwrap();
    for path in open.iter().copied().chain([&*own]) {
        let page = ada.get(path).await;
        page.status(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        let (_, rest) = policy.split_once("'nonce-").expect(&policy);
        let (nonce, _) = rest.split_once('\'').unwrap();
        assert!(page.text.contains(&format!("nonce=\"{nonce}\"")), "{path}");
        assert!(!policy.contains("script-src 'unsafe-inline'"));
        let data = data(&page);
        assert_eq!(data["profile"]["user"]["name"], "Ada");
        assert_eq!(data["board"]["cursor"], 1);
        assert_eq!(data["board"]["counts"]["inbox"], 1);
        assert!(page.text.contains("<h1"), "{path}");
    }
    let inbox = ada.get("/inbox").await;
    assert!(inbox.text.contains("Water the plants"));
    let detail = data(&ada.get(&own).await);
    assert_eq!(detail["detail"]["task"], task);
    assert_eq!(detail["detail"]["history"][0]["version"], 1);
    for page in ["/sign-in", "/sign-up"] {
        let page = ada.get(page).await;
        assert_eq!((page.code, &*page.header("location")), (303, "/inbox"));
    }
}

#[tokio::test]
async fn lists_are_in_their_pages() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for title in ["one", "two", "three"] {
        let task = add(&ada, title).await;
        let path = format!("/api/tasks/{}", task["id"].as_str().unwrap());
        match title {
            "one" => ada.delete(&path).await.status(204),
            "two" => ada
                .patch(&format!("{path}/complete"), json!({}))
                .await
                .status(200),
            _ => {}
        }
    }
    let titles = |page: &Answer| -> Vec<String> {
        let data = data(page);
        let items = data["listing"]["items"].as_array().unwrap().iter();
        items
            .map(|t| t["title"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(titles(&ada.get("/trash").await), ["one"]);
    assert_eq!(titles(&ada.get("/completed").await), ["two"]);
    assert_eq!(titles(&ada.get("/search?q=t").await), ["three", "two"]);
    assert_eq!(titles(&ada.get("/search").await), [""; 0]);
    let activity = data(&ada.get("/activity").await);
    assert_eq!(activity["activity"].as_array().unwrap().len(), 5);
    let wrong = ada.get("/completed?cursor=nonsense").await;
    wrong.status(422);
}

#[tokio::test]
async fn what_is_not_there_is_a_page_of_its_own() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let bob = app.person("Bob").await;
    let task = add(&ada, "Secret").await;
    let of_ada = format!("/tasks/{}", task["id"].as_str().unwrap());
    for path in [
        &*of_ada,
        "/tasks/42",
        "/tags/",
        "/nowhere",
        "/inbox/more",
        PRIVATE[12],
    ] {
        let page = bob.get(path).await;
        page.status(404);
        assert!(
            page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert!(!page.text.contains("Secret"));
        assert_eq!(data(&page)["fault"]["code"], "not_found");
    }
    app.nobody().get("/nowhere").await.status(404);
    bob.post("/nowhere", json!({}))
        .await
        .refused(404, "not_found", &[]);
    bob.get("/rpc/change")
        .await
        .refused(405, "method_not_allowed", &[]);
}

#[tokio::test]
async fn a_slash_at_the_end_keeps_a_page_private() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for path in ["/inbox", "/inbox/"] {
        let page = ada.get(path).await;
        page.status(200);
        assert!(page.header("cache-control").contains("no-store"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("'nonce-"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_search_takes_filters() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for task in [
        json!({ "title": "Milk", "tags": ["home", "shop"], "priority": "high" }),
        json!({ "title": "Milk for work", "tags": ["work"], "due_date": "2036-12-24" }),
        json!({ "title": "Late milk", "due_date": "2020-01-01" }),
        json!({ "title": "Late tea", "due_date": "2020-01-01", "completed": true }),
    ] {
        ada.post("/api/tasks", task).await.expect(201);
    }
    for (q, expected) in [
        ("milk", &["Late milk", "Milk", "Milk for work"][..]),
        ("mi %23home", &["Milk"]),
        ("%23home %23shop", &["Milk"]),
        ("%23home %23work", &[]),
        ("!high", &["Milk"]),
        ("milk !none", &["Late milk", "Milk for work"]),
        ("due:2036-12-24", &["Milk for work"]),
        ("late", &["Late milk", "Late tea"]),
        ("late due:overdue", &["Late milk"]),
        ("due:2020-01-01", &["Late milk", "Late tea"]),
        ("%23", &[]),
    ] {
        let page = ada.get(&format!("/search?q={}", q.replace(' ', "+"))).await;
        let data = data(&page);
        let items = data["listing"]["items"].as_array().unwrap().iter();
        let mut titles: Vec<_> = items.map(|t| t["title"].as_str().unwrap()).collect();
        titles.sort_unstable();
        assert_eq!(titles, expected, "{q}");
        // The rows are in the document too, since the server draws what the browser will.
        let rows = page.text.matches(" data-id=").count();
        assert_eq!(rows, expected.len(), "{q}");
    }
    // Words and nothing else, for programs.
    let found = ada.get("/api/tasks?q=%23home").await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_search_marks_the_words_that_it_found() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let task = json!({ "title": "Crème <b>&amp; milk", "tags": ["home"] });
    ada.post("/api/tasks", task).await.expect(201);
    let title = async |path: &str| {
        let page = ada.get(path).await;
        let (_, row) = page.text.split_once("class=\"t\"").unwrap();
        let (_, title) = row.split_once('>').unwrap();
        title.split_once("</a>").unwrap().0.to_owned()
    };
    assert_eq!(
        title("/search?q=MIL+cre+%23home+b").await,
        "<mark>Crème</mark> &lt;<mark>b</mark>&gt;&amp;amp; <mark>milk</mark>"
    );
    assert_eq!(title("/inbox").await, "Crème &lt;b&gt;&amp;amp; milk");
}

#[tokio::test]
async fn a_search_for_very_many_words_is_answered() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let many: Vec<_> = (0..1200).map(|n| format!("w{n}")).collect();
    let path = format!("/search?q={}", many.join("+"));
    ada.get(&path).await.status(200);
}

#[tokio::test]
async fn markup_in_a_title_stays_text() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let title = "</script><script>alert(1)</script><b>&amp;";
    add(&ada, title).await;
    let page = ada.get("/inbox").await;
    assert!(!page.text.contains("<script>alert"));
    assert_eq!(data(&page)["board"]["tasks"][0]["title"], title);
}

#[tokio::test]
async fn people_sign_up_and_in_by_plain_forms() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    let fields = [
        ("email", "eve@example.com"),
        ("name", "Eve"),
        ("password", PASSWORD),
    ];
    let up = nobody.form("/rpc/sign_up", "/sign-up", &fields).await;
    assert_eq!((up.code, &*up.header("location")), (302, "/inbox"));
    assert!(up.header("set-cookie").starts_with("auth_token="));
    let wrong = [
        ("email", "eve@example.com"),
        ("password", "not the password"),
        ("next", "/today"),
    ];
    let back = nobody
        .form("/rpc/sign_in", "/sign-in?next=%2Ftoday", &wrong)
        .await;
    back.status(302);
    let to = back.header("location");
    assert!(
        to.starts_with("/sign-in?email=eve%40example.com&next=%2Ftoday&__path="),
        "{to}"
    );
    assert!(!to.contains("not") && back.header("set-cookie").is_empty());
    let page = nobody.get(&to).await;
    page.status(200);
    let shown = data(&page);
    assert_eq!(shown["fault"]["code"], "invalid_credentials");
    assert_eq!(shown["failed"], "/rpc/sign_in");
    assert_eq!(shown["query"], "email=eve%40example.com&next=%2Ftoday");
    let right = [
        ("email", "Eve@Example.com"),
        ("password", PASSWORD),
        ("next", "/today"),
    ];
    let next = nobody.form("/rpc/sign_in", &to, &right).await;
    assert_eq!((next.code, &*next.header("location")), (302, "/today"));
}

#[tokio::test]
async fn a_form_sent_twice_does_one_thing() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let seed = seed(&ada.get("/inbox").await);
    let fields = [("text", "Buy milk !high #home"), ("seed", &*seed)];
    for _ in 0..2 {
        let back = ada.form("/rpc/add_task", "/inbox", &fields).await;
        assert_eq!((back.code, &*back.header("location")), (302, "/inbox"));
    }
    let list = ada.get("/api/tasks").await.expect(200);
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["title"], "Buy milk");
    assert_eq!(items[0]["priority"], "high");
    assert_eq!(items[0]["tags"], json!(["home"]));
}

#[tokio::test]
async fn a_form_that_fails_says_so_on_its_page() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let seed = seed(&ada.get("/inbox").await);
    let fields = [("text", " "), ("seed", &*seed)];
    let back = ada.form("/rpc/add_task", "/inbox", &fields).await;
    back.status(302);
    let page = ada.get(&back.header("location")).await;
    let shown = data(&page);
    assert_eq!(shown["failed"], "/rpc/add_task");
    assert_eq!(shown["fault"]["errors"][0]["field"], "text");
    // What was typed lies there again.
    let typed = format!("</textarea> & {}", "milk ".repeat(50));
    let long = [("text", &*typed), ("seed", &*seed)];
    let back = ada.form("/rpc/add_task", "/inbox", &long).await;
    let page = ada.get(&back.header("location")).await;
    let escaped = format!(">&lt;/textarea&gt; &amp; {}</textarea>", "milk ".repeat(50));
    assert!(page.text.contains(&escaped), "{}", page.text);
    assert!(
        page.text
            .contains("A title can have at most 200 characters.")
    );
    // Signed out meanwhile: sign in and come back.
    let nobody = app.nobody();
    let back = nobody.form("/rpc/add_task", "/today", &fields).await;
    assert_eq!(back.header("location"), "/sign-in?next=%2Ftoday");
}

#[tokio::test]
async fn no_words_of_an_address_are_shown() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let words = "Your account is locked. Call 555-0100.";
    let errors = json!([{ "field": "email", "code": "invalid", "message": words }]);
    let fault = json!({ "code": "internal", "detail": words, "errors": errors }).to_string();
    let made_up = [
        BASE64_URL_SAFE.encode(&fault),
        fault,
        words.into(),
        format!("internal,email:{words}"),
    ];
    for fault in made_up {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("__path", "/rpc/sign_in")
            .append_pair("__err", &fault)
            .finish();
        let page = app.nobody().get(&format!("/sign-in?{query}")).await;
        page.status(200);
        assert!(!page.text.contains("555-0100"), "{fault}");
        // Nor is there a fault where no form failed.
        let query = query.replace("__path", "path");
        assert_eq!(
            data(&ada.get(&format!("/inbox?{query}")).await)["fault"],
            Value::Null
        );
    }
}

#[tokio::test]
async fn a_new_tokens_secret_is_shown_once() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let page = ada
        .form("/rpc/create_token", "/account", &[("name", "Laptop")])
        .await;
    page.status(200);
    assert_eq!(page.header("cache-control"), "no-store");
    let (_, rest) = page.text.split_once("<code class=\"secret\">").unwrap();
    let (secret, _) = rest.split_once('<').unwrap();
    let mut program = app.nobody();
    program.credential = Some(("authorization", format!("Bearer {secret}")));
    assert_eq!(program.get("/api/me").await.expect(200)["name"], "Ada");
    let again = ada.get("/account").await;
    assert!(!again.text.contains(secret));
    assert!(again.text.contains("Laptop"));
}

#[tokio::test]
async fn scripts_get_json_and_statuses() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let id = Uuid::now_v7();
    let change = |mutation: Uuid, command: Value| json!({ "change": { "mutation_id": mutation, "task_id": id, "command": command } });
    let create = change(Uuid::now_v7(), json!({ "create": { "title": "A" } }));
    let made = ada.post("/rpc/change", create.clone()).await.expect(200);
    assert_eq!(
        (&made["seq"], &made["task"]["title"]),
        (&json!(1), &json!("A"))
    );
    assert_eq!(
        ada.post("/rpc/change", create.clone()).await.expect(200),
        made
    );
    let code = |answer: Answer, status: u16| answer.expect(status)["code"].clone();
    let nobody = app.nobody();
    assert_eq!(
        code(nobody.post("/rpc/change", create).await, 401),
        "unauthenticated"
    );
    let delete = change(Uuid::now_v7(), json!("delete"));
    let bob = app.person("Bob").await;
    assert_eq!(
        code(bob.post("/rpc/change", delete.clone()).await, 404),
        "not_found"
    );
    let old = change(Uuid::from_u128(7), json!("delete"));
    assert_eq!(
        code(ada.post("/rpc/change", old).await, 422),
        "validation_failed"
    );
    let wrong = change(Uuid::now_v7(), json!({ "edit": { "title": "" } }));
    let wrong = ada.post("/rpc/change", wrong).await.expect(422);
    assert_eq!(wrong["errors"][0]["field"], "title");
    let json = [("content-type", "application/json")];
    let broken = ada.send("POST", "/rpc/change", &json, "{".into()).await;
    assert_eq!(code(broken, 400), "malformed_json");
    let shapeless = ada.post("/rpc/change", json!({ "change": 7 })).await;
    assert_eq!(code(shapeless, 422), "validation_failed");
    ada.post("/rpc/nothing", json!({}))
        .await
        .refused(404, "not_found", &[]);
    assert!(ada.post("/rpc/change", delete).await.expect(200)["task"]["deleted_at"].is_string());
}

#[test]
fn every_server_function_is_there() {
    let there: Vec<_> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path)
        .collect();
    for name in [
        "change",
        "list",
        "task",
        "history",
        "activity",
        "add_task",
        "edit_task",
        "complete_task",
        "reopen_task",
        "delete_task",
        "skip_task",
        "restore_task",
        "purge_task",
        "sign_up",
        "sign_in",
        "sign_out",
        "set_profile",
        "set_password",
        "delete_account",
        "tokens",
        "create_token",
        "revoke_token",
    ] {
        let path = format!("/rpc/{name}");
        assert!(there.contains(&&*path), "{path} is not in {there:?}");
    }
}
