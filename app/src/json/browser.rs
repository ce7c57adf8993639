//! The browser's own values.

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::{FromJson, ToJson};

/// A value of JSON, or none: a field that is not there.
#[derive(Clone, Debug)]
pub struct Json(JsValue);

impl Json {
    /// Reads a text.
    pub fn parse(text: &str) -> Option<Self> {
        JSON::parse(text).ok().map(Self)
    }

    /// As a text.
    pub fn print(&self) -> String {
        JSON::stringify(&self.0).map_or_else(|_| String::new(), String::from)
    }

    /// `null`.
    pub fn null() -> Self {
        Self(JsValue::NULL)
    }

    /// What is not there. An object leaves such a field out.
    pub fn absent() -> Self {
        Self(JsValue::UNDEFINED)
    }

    /// An object.
    pub fn object(fields: &[(&str, Self)]) -> Self {
        let object = Object::new();
        for (name, value) in fields {
            // Only of a frozen object could it fail.
            let _ = Reflect::set(&object, &JsValue::from_str(name), &value.0);
        }
        Self(object.into())
    }

    /// An array.
    pub fn list(items: Vec<Self>) -> Self {
        let list = Array::new();
        for item in items {
            list.push(&item.0);
        }
        Self(list.into())
    }

    /// A field; absent too where this is no object.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Self {
        let value = Reflect::get(&self.0, &JsValue::from_str(name));
        Self(value.unwrap_or(JsValue::UNDEFINED))
    }

    /// The items of an array.
    #[inline(never)]
    pub fn items(&self) -> Option<Vec<Self>> {
        let list: &Array = self.0.dyn_ref()?;
        Some(list.iter().map(Self).collect())
    }

    /// Whether it is `null` or absent.
    pub fn is_null(&self) -> bool {
        self.0.is_null() || self.0.is_undefined()
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.0.is_object()
    }

    /// Whether it is not there.
    pub fn is_absent(&self) -> bool {
        self.0.is_undefined()
    }
}

impl FromJson for String {
    fn read(json: &Json) -> Option<Self> {
        json.0.as_string()
    }
}

impl ToJson for str {
    fn write(&self) -> Json {
        Json(JsValue::from_str(self))
    }
}

impl FromJson for i64 {
    #[inline(never)]
    fn read(json: &Json) -> Option<Self> {
        let number = json.0.as_f64()?;
        let whole = number as Self;
        (whole as f64 == number).then_some(whole)
    }
}

impl ToJson for i64 {
    fn write(&self) -> Json {
        Json(JsValue::from_f64(*self as f64))
    }
}

impl FromJson for bool {
    fn read(json: &Json) -> Option<Self> {
        json.0.as_bool()
    }
}

impl ToJson for bool {
    fn write(&self) -> Json {
        Json(JsValue::from_bool(*self))
    }
}
