//! Plain forms: where they came from, and where a failed one leads back to.

use axum::http::{header, request::Parts};
use serde::{
    Deserialize,
    de::{IntoDeserializer, value::Error},
};
use tidings_app::route::encode;
use tidings_domain::error::{Code, Fault, FieldError};
use url::{Url, form_urlencoded};

/// The parameter that names the function that failed.
pub const PATH: &str = "__path";
/// The parameter that holds the codes of its fault. Anybody can make up an address: no words that are
/// shown come from there.
pub const FAULT: &str = "__err";
/// The parameter that says what an earlier form did.
const DONE: &str = "done";
/// Bytes of what was typed that go back into an address. What is longer has to be typed again.
const ECHO_MAX: usize = 2_000;
/// What never goes into an address: passwords, and ids that are made anew for each page.
const SECRET: [&str; 7] = [
    "password",
    "current",
    "new",
    "seed",
    "mutation_id",
    "task_id",
    "client_id",
];

/// A plain form that was sent.
pub(super) struct Form {
    /// What was typed, secrets left out.
    typed: Vec<(String, String)>,
    /// The page that it was sent from.
    from: Option<Url>,
}

impl Form {
    /// The form, if that is what asks: a browser that goes to the answer wants HTML.
    pub(super) fn of(parts: &Parts, body: &[u8]) -> Option<Self> {
        let header = |name| parts.headers.get(name).and_then(|v| v.to_str().ok());
        if !header(header::ACCEPT).is_some_and(|accept| accept.contains("text/html")) {
            return None;
        }
        let fields = form_urlencoded::parse(body).into_owned();
        Some(Self {
            typed: fields
                .filter(|(name, _)| !SECRET.contains(&name.as_str()))
                .collect(),
            from: header(header::REFERER).and_then(|url| url.parse().ok()),
        })
    }

    /// The page that the form was sent from, without what an earlier failure put into its address.
    pub(super) fn back(&self) -> String {
        self.address(|_| {})
    }

    /// The same page with the fault and what was typed.
    pub(super) fn failed(&self, function: &str, fault: Fault) -> String {
        if fault.code == Code::Unauthenticated {
            return ["/sign-in?next=", &encode(&self.back())].concat();
        }
        self.address(|query| {
            let mut room = ECHO_MAX;
            for (name, value) in &self.typed {
                if let Some(left) = room.checked_sub(name.len() + value.len()) {
                    room = left;
                    query.append_pair(name, value);
                }
            }
            query.append_pair(PATH, function);
            query.append_pair(FAULT, &codes(&fault));
        })
    }

    fn address(&self, add: impl FnOnce(&mut form_urlencoded::Serializer<'_, String>)) -> String {
        // A path that begins with two slashes would lead to another site.
        let from = self
            .from
            .as_ref()
            .filter(|url| !url.path().starts_with("//"));
        let Some(from) = from else {
            return "/inbox".into();
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in from.query_pairs() {
            let ours = [PATH, FAULT, DONE].contains(&&*name);
            if !ours && !self.typed.iter().any(|(typed, _)| *typed == name) {
                query.append_pair(&name, &value);
            }
        }
        add(&mut query);
        match query.finish() {
            query if query.is_empty() => from.path().to_owned(),
            query => [from.path(), "?", &query].concat(),
        }
    }
}

/// A fault in an address: its code, then `field:code` for each field.
fn codes(fault: &Fault) -> String {
    let fields = fault.errors.iter();
    let fields = fields.map(|error| [",", &error.field, ":", &error.code].concat());
    let code = fault.code.as_str().to_owned();
    std::iter::once(code).chain(fields).collect()
}

/// The fault of which an address holds the codes, in our own words.
pub fn told(codes: &str) -> Option<Fault> {
    let mut parts = codes.split(',');
    let code = IntoDeserializer::<Error>::into_deserializer(parts.next()?);
    let code = Code::deserialize(code).ok()?;
    let fields = parts.filter_map(|part| part.split_once(':'));
    let errors = fields
        .map(|(field, of)| FieldError::known(field, of, code))
        .collect();
    let mut fault = Fault::from(code);
    fault.errors = errors;
    // A form that shows no messages beside its fields shows this one.
    if let Some(first) = fault.errors.first() {
        fault.detail = first.message.clone();
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn form(from: &str, body: &str) -> Form {
        let request = Request::builder()
            .header("accept", "text/html,application/xhtml+xml")
            .header("referer", from);
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Form::of(&parts, body.as_bytes()).unwrap()
    }

    #[test]
    fn a_script_is_no_form() {
        let request = Request::builder().header("accept", "application/json");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert!(Form::of(&parts, b"").is_none());
    }

    #[test]
    fn a_failure_goes_back_with_what_was_typed_but_no_secret() {
        let form = form(
            "http://127.0.0.1:3000/sign-in?next=%2Ftoday&email=old&__err=x&__path=y",
            "email=a%40b.c&password=hunter2hunter2&next=%2Ftoday",
        );
        let to = form.failed("/rpc/sign_in", Code::InvalidCredentials.into());
        let address = ["http://x", &to].concat().parse::<Url>().unwrap();
        let pairs: Vec<_> = address.query_pairs().collect();
        let names: Vec<_> = pairs.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["email", "next", "__path", "__err"]);
        assert_eq!(pairs[0].1, "a@b.c");
        assert!(!to.contains("hunter2"));
        let fault = told(&pairs[3].1).unwrap();
        assert_eq!(fault, Code::InvalidCredentials.into());
    }

    #[test]
    fn what_an_address_tells_is_said_in_our_own_words() {
        let mut fault = Fault::field("text", "too_long", "Call 555-0100.");
        fault.errors.push(FieldError::new("due", "x y", "At once."));
        let fault = told(&codes(&fault)).unwrap();
        assert_eq!(fault.code, Code::ValidationFailed);
        assert_eq!(fault.detail, "A title can have at most 200 characters.");
        let messages: Vec<_> = fault.errors.iter().map(|e| &*e.message).collect();
        let long = "A title can have at most 200 characters.";
        assert_eq!(messages, [long, "This does not fit here."]);
        assert_eq!(told("Call 555-0100"), None);
        assert_eq!(told(""), None);
    }

    #[test]
    fn a_success_goes_back_to_the_page_without_the_failure() {
        let form = form(
            "http://127.0.0.1:3000/tags/a%20b?x=1&title=old&__err=x",
            "title=new",
        );
        assert_eq!(form.back(), "/tags/a%20b?x=1");
    }

    #[test]
    fn no_success_leads_to_another_site() {
        let form = form("http://127.0.0.1:3000//evil.example/x", "title=new");
        assert_eq!(form.back(), "/inbox");
    }

    #[test]
    fn whoever_is_signed_out_signs_in_first() {
        let form = form("http://127.0.0.1:3000/search?q=milk", "title=new");
        let to = form.failed("/rpc/add_task", Code::Unauthenticated.into());
        assert_eq!(to, "/sign-in?next=%2Fsearch%3Fq%3Dmilk");
    }
}
