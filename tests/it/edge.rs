//! What every request passes: the Origin rule, problems, headers.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::kit::{PASSWORD, TestApp};

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test]
async fn only_our_pages_change_anything() {
    let app = TestApp::new().await;
    let (ada, program) = (
        app.person("Ada").await,
        app.person("Bob").await.program().await,
    );
    let ours = app.base.as_str();
    let port = ours.rsplit(':').next().unwrap();
    let localhost = format!("http://localhost:{port}");
    let table: [(&[(&'static str, &str)], bool); 9] = [
        (&[], true),
        (&[("origin", ours)], true),
        (&[("origin", &localhost)], true),
        (&[("origin", "http://127.0.0.1:1")], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("sec-fetch-site", "same-origin"), ("origin", ours)], true),
        (&[("sec-fetch-site", "cross-site"), ("origin", ours)], false),
        (&[("sec-fetch-site", "none")], false),
    ];
    for (headers, allowed) in table {
        let headers: Vec<_> = headers.iter().copied().chain([JSON]).collect();
        let body = json!({ "title": "Task" }).to_string();
        for path in ["/api/tasks", "/rpc/change", "/ws", "/nothing"] {
            let method = if path == "/ws" { "GET" } else { "POST" };
            let answer = ada.send(method, path, &headers, body.clone()).await;
            if allowed {
                assert_ne!(answer.code, 403, "{path} {headers:?}");
            } else {
                answer.refused(403, "forbidden", &[]);
            }
        }
        // Reading is for everybody, and a program says by its token that it means it.
        ada.send("GET", "/api/docs", &headers, String::new())
            .await
            .status(200);
        program
            .send("POST", "/api/tasks", &headers, body)
            .await
            .status(201);
    }
}

#[tokio::test]
async fn every_fault_is_a_problem() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    let large = format!("{{\"title\":\"{}\"}}", "x".repeat(1024 * 1024));
    let text = ("content-type", "text/plain");
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a [(&'static str, &'a str)],
        &'a str,
        u16,
        &'a str,
    );
    let table: [Case; 13] = [
        ("GET", "/api/nothing", &[], "", 404, "not_found"),
        ("POST", "/api/nothing", &[], "", 404, "not_found"),
        ("POST", "/nothing", &[], "", 404, "not_found"),
        ("PUT", "/api/me", &[JSON], "{}", 405, "method_not_allowed"),
        ("POST", "/inbox", &[], "", 405, "method_not_allowed"),
        ("GET", "/rpc/change", &[], "", 405, "method_not_allowed"),
        ("POST", "/api/tasks", &[JSON], "{", 400, "malformed_json"),
        ("POST", "/api/tasks", &[JSON], "", 400, "malformed_json"),
        (
            "POST",
            "/api/tasks",
            &[JSON],
            "{\"title\":\"\\ud800\"}",
            400,
            "malformed_json",
        ),
        (
            "POST",
            "/api/tasks",
            &[],
            "{}",
            415,
            "unsupported_media_type",
        ),
        (
            "POST",
            "/api/tasks",
            &[text],
            "{}",
            415,
            "unsupported_media_type",
        ),
        ("POST", "/api/tasks", &[JSON], "7", 422, "validation_failed"),
        (
            "POST",
            "/api/tasks",
            &[JSON],
            &large,
            413,
            "payload_too_large",
        ),
    ];
    for (method, path, headers, body, status, code) in table {
        let answer = ada.send(method, path, headers, body.to_owned()).await;
        if status == 405 {
            assert!(!answer.header("allow").is_empty(), "{path}");
        }
        answer.refused(status, code, &[]);
    }
    // Nor does a body that does not say how long it is.
    let (name, value) = ada.credential.clone().unwrap();
    let address = app.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = large.len();
    let request = format!(
        "POST /api/tasks HTTP/1.1\r\nhost: {address}\r\n{name}: {value}\r\nconnection: close\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\
         {length:x}\r\n{large}\r\n0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("payload_too_large"), "{answer}");
}

#[tokio::test]
async fn answers_tell_browsers_what_not_to_do() {
    let app = TestApp::new().await;
    let ada = app.person("Ada").await;
    for path in [
        "/api/me",
        "/inbox",
        "/sign-in",
        "/nothing",
        "/api/nothing",
        "/healthz",
    ] {
        let answer = ada.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
        assert!(
            answer.header("permissions-policy").contains("camera=()"),
            "{path}"
        );
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
    }
    let page = ada.get("/inbox").await;
    let policy = page.header("content-security-policy");
    let (_, rest) = policy.split_once("'nonce-").unwrap();
    let (nonce, _) = rest.split_once('\'').unwrap();
    assert!(
        policy.contains("script-src 'strict-dynamic' 'nonce-"),
        "{policy}"
    );
    assert!(policy.contains("'wasm-unsafe-eval'"), "{policy}");
    assert!(page.text.contains(&format!("nonce=\"{nonce}\"")));
    let again = ada.get("/inbox").await.header("content-security-policy");
    assert_ne!(again, policy);
}

#[tokio::test]
async fn cookies_are_secure_behind_https() {
    let public = TestApp::with(|config| {
        config.public_url = Some("https://tidings.example".parse().unwrap());
    })
    .await;
    let proxied = TestApp::with(|config| {
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let plain = TestApp::new().await;
    let form = json!({ "email": "ada@example.com", "name": "Ada", "password": PASSWORD });
    let headers = [JSON, ("x-forwarded-proto", "https")];
    for (app, secure) in [(&public, true), (&proxied, true), (&plain, false)] {
        let nobody = app.nobody();
        let answer = nobody.send("POST", "/api/auth/register", &headers, form.to_string());
        let answer = answer.await;
        answer.status(201);
        assert_eq!(answer.header("set-cookie").contains("; Secure"), secure);
        let strict = answer.header("strict-transport-security");
        assert_eq!(strict.starts_with("max-age="), secure);
    }
}

#[tokio::test]
async fn files_are_kept_as_long_as_their_names_allow() {
    let site = tempfile::tempdir().unwrap();
    let pkg = site.path().join("pkg");
    std::fs::create_dir(&pkg).unwrap();
    let hashed = "tidings.Zm9vYmFyYmF6cXV4MTIzNA.js";
    std::fs::write(pkg.join(hashed), "plain").unwrap();
    std::fs::write(pkg.join(format!("{hashed}.br")), "packed").unwrap();
    std::fs::write(site.path().join("robots.txt"), "plain").unwrap();
    let root = site.path().to_owned();
    let app = TestApp::with(|config| config.site_root = root).await;
    let nobody = app.nobody();
    let path = format!("/pkg/{hashed}");
    let packed = nobody.send(
        "GET",
        &path,
        &[("accept-encoding", "gzip, br")],
        String::new(),
    );
    let packed = packed.await;
    assert_eq!(packed.text, "packed");
    assert_eq!(packed.header("content-encoding"), "br");
    assert_eq!(packed.header("content-type"), "text/javascript");
    assert_eq!(
        packed.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(nobody.get(&path).await.text, "plain");
    let robots = nobody.get("/robots.txt").await;
    assert_eq!(
        (
            robots.text.as_str(),
            robots.header("cache-control").as_str()
        ),
        ("plain", "no-cache")
    );
    for path in [
        "/pkg/",
        "/pkg",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/pkg/none.js",
    ] {
        assert_ne!(nobody.get(path).await.code, 200, "{path}");
    }
}

#[tokio::test]
async fn health_is_told() {
    let app = TestApp::new().await;
    let nobody = app.nobody();
    nobody.get("/healthz").await.status(200);
    nobody.get("/readyz").await.status(200);
}
