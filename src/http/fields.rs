//! Bodies that are JSON objects, read field by field, so that everything wrong is told at once.

use axum::{
    body::{Bytes, HttpBody, to_bytes},
    extract::{FromRequest, OptionalFromRequest, Request},
    http::{HeaderMap, header, request::Parts},
};
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};
use tidings_domain::error::{Code, Fault, FieldError};

use super::{edge::BODY_MAX, pace::TooSlow};
use crate::error::{Error, Result};

/// A body that is a JSON object. As an optional extractor: nothing where the body is empty.
#[derive(Debug, Default)]
pub struct JsonObject(pub Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self> {
        let (parts, bytes) = whole(request).await?;
        parse(&parts.headers, &bytes).map(Self)
    }
}

impl<S: Send + Sync> OptionalFromRequest<S> for JsonObject {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>> {
        if request.body().is_end_stream() {
            return Ok(None);
        }
        let (parts, bytes) = whole(request).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        parse(&parts.headers, &bytes).map(|object| Some(Self(object)))
    }
}

/// Reads a body whole, up to the limit.
pub(super) async fn whole(request: Request) -> Result<(Parts, Bytes)> {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|error| {
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = source {
            if error.is::<LengthLimitError>() {
                return Code::PayloadTooLarge;
            }
            if error.is::<TooSlow>() {
                return Code::Unavailable;
            }
            source = error.source();
        }
        // The client broke off; nobody reads this answer.
        Code::MalformedJson
    })?;
    Ok((parts, bytes))
}

/// The object that a body holds.
pub(super) fn parse(headers: &HeaderMap, bytes: &[u8]) -> Result<Map<String, Value>> {
    if !is_json(headers) {
        return Err(Code::UnsupportedMediaType.into());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::new(Code::ValidationFailed, "The body must be a JSON object.").into()),
        Err(_) => Err(Code::MalformedJson.into()),
    }
}

/// Whether the content is JSON, or another type that says it is written as JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let text = value.and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Takes fields out of an object and collects what is wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl From<JsonObject> for Fields {
    fn from(JsonObject(object): JsonObject) -> Self {
        Self {
            object,
            errors: Vec::new(),
        }
    }
}

impl Fields {
    /// A text; nothing where it is missing or null.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(name, "invalid", "must be a text");
                None
            }
        }
    }

    /// A text that must be there.
    pub fn required_text(&mut self, name: &str) -> String {
        let faults = self.errors.len();
        let text = self.text(name);
        if text.is_none() && self.errors.len() == faults {
            self.fault(name, "required", "is needed");
        }
        text.unwrap_or_default()
    }

    /// True or false; nothing where it is missing or null.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.object.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => {
                self.fault(name, "invalid", "must be true or false");
                None
            }
        }
    }

    /// Ends reading: whatever is left must not be there.
    ///
    /// # Errors
    /// `validation_failed` with everything that is wrong.
    pub fn finish(mut self, read_only: &[&str]) -> Result<(), Fault> {
        for name in std::mem::take(&mut self.object).keys() {
            if read_only.contains(&name.as_str()) {
                self.fault(name, "read_only", "cannot be changed");
            } else {
                self.fault(name, "unknown", "is not known here");
            }
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Fault::fields(self.errors))
        }
    }

    fn fault(&mut self, name: &str, code: &str, words: &str) {
        let message = format!("{name} {words}.");
        self.errors.push(FieldError::new(name, code, message));
    }
}
