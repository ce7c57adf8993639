//! What the handlers of REST read from a request: who asks, its body, its conditions.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, Method, header, request::Parts},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use tidings_domain::{
    command::Command,
    error::Fault,
    id::{ClientId, TaskId, UserId},
};

use crate::{
    auth::Actor,
    error::{Error, Result},
    http::fields,
    service::tasks::{Intent, Key, Precondition},
    store::Action,
};

/// Characters of an `Idempotency-Key`.
const KEY_MAX: usize = 255;

/// A request that changes something, whole.
pub(super) struct Asked {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Asked {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, body) = fields::whole(request).await?;
        Ok(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            body,
        })
    }
}

impl Asked {
    /// The fields of the body, a merge patch too.
    pub(super) fn object(&self) -> Result<Map<String, Value>> {
        fields::parse(&self.headers, &self.body)
    }

    /// The fields of a body that may be left out.
    pub(super) fn optional(&self) -> Result<Map<String, Value>> {
        if self.body.is_empty() {
            Ok(Map::new())
        } else {
            self.object()
        }
    }

    /// The change that the request wants, with its headers. A new task has no version to match.
    pub(super) fn intent(
        &self,
        actor: &Actor,
        task_id: Option<TaskId>,
        action: impl Into<Action>,
    ) -> Result<Intent, Fault> {
        let action = action.into();
        let new = matches!(action, Action::Command(Command::Create(_)));
        Ok(Intent {
            task_id,
            action,
            precondition: precondition(&self.headers).filter(|_| !new),
            key: self.key(actor.user.id)?,
            client_id: self.client()?,
        })
    }

    /// The `Idempotency-Key`, with what is asked under it: method, path and body.
    fn key(&self, user: UserId) -> Result<Option<Key>, Fault> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let text = value.to_str().ok().filter(|text| {
            (1..=KEY_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        });
        let Some(text) = text else {
            let words = "An idempotency key is 1 to 255 visible ASCII characters.";
            return Err(Fault::field("Idempotency-Key", "invalid", words));
        };
        let asked = [
            self.method.as_str().as_bytes(),
            self.path.as_bytes(),
            &self.body,
        ];
        Ok(Some(Key::named(user, text, &asked)))
    }

    /// `Tidings-Client`.
    fn client(&self) -> Result<Option<ClientId>, Fault> {
        let Some(value) = self.headers.get("tidings-client") else {
            return Ok(None);
        };
        let client = value.to_str().ok().and_then(|text| text.parse().ok());
        client
            .map(Some)
            .ok_or_else(|| Fault::field("Tidings-Client", "invalid", "Tidings-Client is a UUID."))
    }
}

/// What `If-Match` asks for. What is no version of ours, a weak one too, matches nothing.
pub(super) fn precondition(headers: &HeaderMap) -> Option<Precondition> {
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    values.peek()?;
    let mut versions = Vec::new();
    for tag in values.flat_map(|v| v.to_str().unwrap_or_default().split(',')) {
        let tag = tag.trim();
        if tag == "*" {
            return Some(Precondition::Any);
        }
        let version = tag.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
        versions.extend(version.and_then(|v| v.parse::<i64>().ok()));
    }
    Some(Precondition::Versions(versions))
}

/// The parameters of a query string, decoded, in order. Nothing in it is ever malformed.
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Ok(Self(pairs.into_owned().collect()))
    }
}

impl Parameters {
    /// Names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of a parameter; nothing where it is left out or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.iter().filter(|(n, _)| *n == name).last();
        found.map(|(_, value)| value).filter(|v| !v.is_empty())
    }

    /// A whole number that is not negative; 0 where it is left out.
    pub(super) fn after(&self, name: &str) -> Result<i64, Fault> {
        let Some(text) = self.get(name) else {
            return Ok(0);
        };
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| Fault::field(name, "invalid", format!("{name} is a number, 0 or more.")))
    }

    /// The limit, or what stands for one that is left out.
    pub(super) fn limit(&self, default: usize, max: usize) -> Result<usize, Fault> {
        let Some(text) = self.get("limit") else {
            return Ok(default);
        };
        crate::service::tasks::limit(text, max)
            .map_err(|words| Fault::field("limit", "invalid", words))
    }
}

/// Refuses fields beyond those named.
pub(super) fn only(object: &Map<String, Value>, names: &[&str]) -> Result<(), Fault> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Fault::field(
            key,
            "unknown",
            format!("There is no field {key} here."),
        )),
    }
}

/// An optional field of the body; null is as good as left out.
pub(super) fn field<T: for<'de> Deserialize<'de>>(
    object: &Map<String, Value>,
    name: &str,
    words: &str,
) -> Result<Option<T>, Fault> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::deserialize(value)
            .map(Some)
            .map_err(|_| Fault::field(name, "invalid", words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(value: &str) -> Option<Precondition> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, value.parse().unwrap());
        precondition(&headers)
    }

    #[test]
    fn if_match_names_versions() {
        let versions = |list: &[i64]| Some(Precondition::Versions(list.to_vec()));
        assert_eq!(precondition(&HeaderMap::new()), None);
        assert_eq!(condition("*"), Some(Precondition::Any));
        assert_eq!(condition("\"3\""), versions(&[3]));
        assert_eq!(condition("\"1\", \"2\",\"x\""), versions(&[1, 2]));
        for nothing in ["W/\"3\"", "3", "\"3", "\"\"", "\"three\""] {
            assert_eq!(condition(nothing), versions(&[]), "{nothing}");
        }
    }
}
