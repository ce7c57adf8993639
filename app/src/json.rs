//! JSON as the browser reads and writes it. A parser in the script would be an eighth of it, and the
//! browser has one: there a value is the browser's own. Anywhere else, which is in tests, it is
//! serde_json's.
//!
//! The server says the same with serde. So everything is spelled twice, and the tests of this module
//! hold both to each other.

#[cfg(feature = "hydrate")]
mod browser;
mod frames;
#[cfg(not(feature = "hydrate"))]
mod host;
mod pages;
mod tasks;
#[cfg(test)]
mod tests;

use std::{fmt::Display, str::FromStr};

use chrono::NaiveDate;
use tidings_domain::{
    id::{self, ClientId, MutationId, TaskId, UserId},
    task::Priority,
    time::{TimeOfDay, Timestamp, parse_date, write_date},
};
use uuid::Uuid;

#[cfg(feature = "hydrate")]
pub use self::browser::Json;
#[cfg(not(feature = "hydrate"))]
pub use self::host::Json;

/// What can be read from JSON.
pub trait FromJson: Sized {
    /// The value, where it is one of this type.
    fn read(json: &Json) -> Option<Self>;
}

/// What can be written as JSON.
pub trait ToJson {
    /// The value.
    fn write(&self) -> Json;
}

/// Reads a text of JSON. `None` where it is none, or none of this type.
pub fn read<T: FromJson>(text: &str) -> Option<T> {
    T::read(&Json::parse(text)?)
}

impl Json {
    /// A field of an object.
    fn field<T: FromJson>(&self, name: &str) -> Option<T> {
        T::read(&self.get(name))
    }

    /// A field that may be left out where it is what it is by default.
    fn or_default<T: FromJson + Default>(&self, name: &str) -> Option<T> {
        let value = self.get(name);
        if value.is_absent() {
            Some(T::default())
        } else {
            T::read(&value)
        }
    }
}

/// Structs of which each field has the name that it has in JSON.
macro_rules! records {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl $crate::json::FromJson for $name {
            fn read(json: &$crate::json::Json) -> Option<Self> {
                Some(Self { $($field: json.field(stringify!($field))?),* })
            }
        }
    )*};
}
use records;

/// What JSON holds as a text.
macro_rules! texts {
    ($($name:ident)*) => {$(
        impl FromJson for $name {
            fn read(json: &Json) -> Option<Self> {
                parsed(json)
            }
        }

        impl ToJson for $name {
            fn write(&self) -> Json {
                shown(self)
            }
        }
    )*};
}

texts!(ClientId MutationId TaskId UserId TimeOfDay Timestamp Priority);

impl FromJson for Uuid {
    fn read(json: &Json) -> Option<Self> {
        id::parse(&String::read(json)?).ok()
    }
}

impl ToJson for Uuid {
    fn write(&self) -> Json {
        shown(self)
    }
}

impl FromJson for NaiveDate {
    fn read(json: &Json) -> Option<Self> {
        parse_date(&String::read(json)?).ok()
    }
}

impl ToJson for NaiveDate {
    fn write(&self) -> Json {
        write_date(*self).as_str().write()
    }
}

fn parsed<T: FromStr>(json: &Json) -> Option<T> {
    String::read(json)?.parse().ok()
}

fn shown(value: &dyn Display) -> Json {
    value.to_string().as_str().write()
}

impl FromJson for u32 {
    fn read(json: &Json) -> Option<Self> {
        i64::read(json)?.try_into().ok()
    }
}

impl ToJson for String {
    fn write(&self) -> Json {
        self.as_str().write()
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(json: &Json) -> Option<Self> {
        // Collected, it would be several times the code.
        let items = json.items()?;
        let mut list = Self::with_capacity(items.len());
        for item in &items {
            list.push(T::read(item)?);
        }
        Some(list)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self) -> Json {
        Json::list(self.iter().map(T::write).collect())
    }
}

/// Nothing is `null`, and read from what is not there too.
impl<T: FromJson> FromJson for Option<T> {
    fn read(json: &Json) -> Option<Self> {
        if json.is_null() {
            Some(None)
        } else {
            T::read(json).map(Some)
        }
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self) -> Json {
        self.as_ref().map_or_else(Json::null, T::write)
    }
}
