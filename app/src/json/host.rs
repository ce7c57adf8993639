//! Values of serde_json, with which tests read and write what a browser would.

use serde_json::Value;

use super::{FromJson, ToJson};

/// A value of JSON, or none: a field that is not there.
#[derive(Clone, Debug)]
pub struct Json(Option<Value>);

impl Json {
    /// Reads a text.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// As a text.
    pub fn print(&self) -> String {
        self.0.as_ref().map(Value::to_string).unwrap_or_default()
    }

    /// `null`.
    pub fn null() -> Self {
        Self(Some(Value::Null))
    }

    /// What is not there. An object leaves such a field out.
    pub fn absent() -> Self {
        Self(None)
    }

    /// An object.
    pub fn object(fields: &[(&str, Self)]) -> Self {
        let fields = fields.iter().cloned();
        let there = fields.filter_map(|(name, value)| Some((name.to_owned(), value.0?)));
        Self(Some(Value::Object(there.collect())))
    }

    /// An array.
    pub fn list(items: Vec<Self>) -> Self {
        let items = items.into_iter().filter_map(|item| item.0);
        Self(Some(Value::Array(items.collect())))
    }

    /// A field; absent too where this is no object.
    pub fn get(&self, name: &str) -> Self {
        Self(self.0.as_ref().and_then(|value| value.get(name)).cloned())
    }

    /// The items of an array.
    pub fn items(&self) -> Option<Vec<Self>> {
        let items = self.0.as_ref()?.as_array()?;
        Some(items.iter().cloned().map(Some).map(Self).collect())
    }

    /// Whether it is `null` or absent.
    pub fn is_null(&self) -> bool {
        self.0.as_ref().is_none_or(Value::is_null)
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.0.as_ref().is_some_and(Value::is_object)
    }

    /// Whether it is not there.
    pub fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

impl FromJson for String {
    fn read(json: &Json) -> Option<Self> {
        json.0.as_ref()?.as_str().map(str::to_owned)
    }
}

impl ToJson for str {
    fn write(&self) -> Json {
        Json(Some(self.into()))
    }
}

impl FromJson for i64 {
    fn read(json: &Json) -> Option<Self> {
        json.0.as_ref()?.as_i64()
    }
}

impl ToJson for i64 {
    fn write(&self) -> Json {
        Json(Some((*self).into()))
    }
}

impl FromJson for bool {
    fn read(json: &Json) -> Option<Self> {
        json.0.as_ref()?.as_bool()
    }
}

impl ToJson for bool {
    fn write(&self) -> Json {
        Json(Some((*self).into()))
    }
}
