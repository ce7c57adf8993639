//! The OpenAPI document of REST, and a page to read it. A test holds the document and the router's
//! routes together, in both directions.

mod page;
pub mod schemas;

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, Ref, RefOr, Required, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{account, audit, events, notifications, push, reset, stats, tasks, tokens};
use crate::http::{caller::COOKIE, routes::Routes};

/// The routes.
pub fn routes() -> Routes {
    Routes::new()
        .get("/api/openapi.json", document)
        .get("/api/docs", docs)
}

/// REST of Tidings.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tidings",
        description = "A person's tasks, and everything that happens to them. A request is made \
            with the session's cookie, or with `Authorization: Bearer` and a personal token, which \
            cannot manage tokens, passwords or the account. Whatever is refused is told as RFC 9457 \
            problem details.",
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = "/")),
    security(("session" = []), ("token" = [])),
    tags(
        (name = "Tasks", description = "A person's tasks."),
        (name = "Events", description = "What happened, in order."),
        (name = "Notifications", description = "What a person was told, and what of."),
        (name = "Account", description = "Signing up, in and out, and one's own account."),
        (name = "Tokens", description = "Personal tokens."),
        (name = "Document", description = "This document.")
    ),
    paths(
        tasks::list, tasks::create, tasks::read, tasks::replace, tasks::edit, tasks::delete,
        tasks::complete, tasks::skip, tasks::restore, tasks::purge, tasks::history,
        events::events, audit::audit, stats::stats,
        account::register, account::login, account::logout, account::me, account::update,
        account::delete, account::set_password, reset::ask, reset::confirm,
        notifications::list, notifications::read_all, notifications::read,
        notifications::snooze, notifications::settings, notifications::set_settings,
        push::key, push::subscribe, push::unsubscribe,
        tokens::list, tokens::create, tokens::revoke,
        document, docs,
    ),
    components(schemas(schemas::Problem)),
    modifiers(&Common)
)]
struct Document;

/// What most operations have in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut openapi::OpenApi) {
        if let Some(components) = &mut document.components {
            let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
            components.add_security_scheme("session", cookie);
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
            components.add_security_scheme("token", SecurityScheme::Http(bearer));
        }
        for (path, item) in &mut document.paths.paths {
            for operation in [
                &mut item.put,
                &mut item.post,
                &mut item.patch,
                &mut item.delete,
            ] {
                if let Some(operation) = operation
                    && (path.starts_with("/api/tasks") || path.ends_with("/snooze"))
                {
                    changes(operation, path.contains("{id}"));
                }
            }
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                refuses(operation);
                name(operation);
            }
        }
    }
}

/// Headers that a change of a task may carry.
fn changes(operation: &mut Operation, existing: bool) {
    let header = |name: &str, words: &str| -> Parameter {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(words))
            .schema(Some(text))
            .build()
    };
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(header(
        "Idempotency-Key",
        "1 to 255 visible ASCII characters. The same request under the same key, within 30 days, \
         is answered again and does nothing twice.",
    ));
    parameters.push(header(
        "Tidings-Client",
        "A UUID that tells this client's changes from others'; it is in the event's metadata.",
    ));
    if existing {
        parameters.push(header(
            "If-Match",
            "The versions that the change is meant for, in quotes; 412 where the task has another.",
        ));
    }
}

/// Names an operation after its noun as well: handlers of different nouns share their names.
fn name(operation: &mut Operation) {
    let noun = operation.tags.iter().flatten().next();
    if let (Some(noun), Some(verb)) = (noun, &operation.operation_id) {
        operation.operation_id = Some(format!("{}_{verb}", noun.to_lowercase()));
    }
}

/// How any operation may be refused.
fn refuses(operation: &mut Operation) {
    for (status, words) in [
        ("4XX", "Refused: the problem says why."),
        (
            "5XX",
            "Failed: it may be tried again, a change under the same `Idempotency-Key`.",
        ),
    ] {
        let problem = Content::new(Some(RefOr::<openapi::Schema>::Ref(Ref::from_schema_name(
            "Problem",
        ))));
        let response = ResponseBuilder::new()
            .description(words)
            .content("application/problem+json", problem);
        operation
            .responses
            .responses
            .insert(status.to_owned(), RefOr::T(response.build()));
    }
}

/// The document, made once.
static JSON: LazyLock<String> = LazyLock::new(|| Document::openapi().to_json().unwrap_or_default());

/// The OpenAPI document.
#[utoipa::path(get, path = "/api/openapi.json", tag = "Document", security(()), responses(
    (status = 200, description = "OpenAPI 3.1.", content_type = "application/json")))]
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], JSON.as_str()).into_response()
}

/// The document, to read.
#[utoipa::path(get, path = "/api/docs", tag = "Document", security(()), responses(
    (status = 200, description = "A page.", content_type = "text/html")))]
pub(super) async fn docs() -> Response {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let document = serde_json::from_str(&JSON).unwrap_or_default();
        page::render(&document)
    });
    static POLICY: LazyLock<String> = LazyLock::new(page::policy);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
    ];
    (headers, PAGE.as_str()).into_response()
}
