//! What pages start from, and what the server answers.

use tidings_domain::{
    account::User,
    error::{Code, Fault, FieldError},
    event::{Actor, EventType},
    task::Recurrence,
    view::{Board, Counts},
};

use super::{FromJson, Json, records};
use crate::{
    api::{
        account::Profile,
        tasks::{Activity, FieldValue, HistoryItem},
    },
    page::{Detail, PageData},
};

records! {
    Profile { user, theme }
    User { id, email, name, time_zone, created_at }
    Board { epoch, cursor, tasks, complete, counts }
    Counts { inbox, today, upcoming, tags }
    Detail { task, history }
    HistoryItem { event_type, seq, version, actor, client_id, timestamp, changes }
    Activity { task_id, title, item }
    FieldError { field, code, message }
}

impl FromJson for PageData {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            path: json.field("path")?,
            query: json.or_default("query")?,
            now: json.field("now")?,
            seed: json.field("seed")?,
            profile: json.field("profile")?,
            board: json.field("board")?,
            listing: json.field("listing")?,
            detail: json.field("detail")?,
            activity: json.field("activity")?,
            tokens: Vec::new(),
            new_token: None,
            notices: None,
            #[cfg(feature = "ssr")]
            samples: false,
            #[cfg(feature = "ssr")]
            statistics: None,
            #[cfg(feature = "ssr")]
            security: None,
            fault: json.field("fault")?,
            failed: json.field("failed")?,
        })
    }
}

impl FromJson for Fault {
    fn read(json: &Json) -> Option<Self> {
        Some(Self {
            code: json.field("code")?,
            detail: json.field("detail")?,
            errors: json.or_default("errors")?,
            retry_after: json.field("retry_after")?,
        })
    }
}

impl FromJson for Code {
    fn read(json: &Json) -> Option<Self> {
        Self::parse(&String::read(json)?)
    }
}

impl FromJson for EventType {
    fn read(json: &Json) -> Option<Self> {
        Some(Self::parse(&String::read(json)?).unwrap_or(Self::Unknown))
    }
}

impl FromJson for Actor {
    fn read(json: &Json) -> Option<Self> {
        match String::read(json)?.as_str() {
            "user" => Some(Self::User),
            "recurring" => Some(Self::Recurring),
            "onboarding" => Some(Self::Onboarding),
            "api" => Some(Self::Api),
            _ => None,
        }
    }
}

/// How many open tasks have a tag.
impl FromJson for (String, u32) {
    fn read(json: &Json) -> Option<Self> {
        let [tag, count] = json.items()?.try_into().ok()?;
        Some((String::read(&tag)?, u32::read(&count)?))
    }
}

/// A field, its old and its new value.
impl FromJson for (String, FieldValue, FieldValue) {
    fn read(json: &Json) -> Option<Self> {
        let [field, old, new] = json.items()?.try_into().ok()?;
        Some((
            String::read(&field)?,
            FieldValue::read(&old)?,
            FieldValue::read(&new)?,
        ))
    }
}

impl FromJson for FieldValue {
    fn read(json: &Json) -> Option<Self> {
        if json.is_null() {
            Some(Self::Nothing)
        } else if let Some(flag) = bool::read(json) {
            Some(Self::Flag(flag))
        } else if let Some(text) = String::read(json) {
            Some(Self::Text(text))
        } else if let Some(texts) = Vec::read(json) {
            Some(Self::Texts(texts))
        } else {
            Recurrence::read(json).map(Self::Repeat)
        }
    }
}
