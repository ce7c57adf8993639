//! Lists: how they are asked for in words.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use tidings_domain::{
    error::{Fault, FieldError},
    time::parse_date,
    view::View,
};

use crate::store::{AsOf, Cursor, Sort, SortKey, TaskQuery};

/// Items of a list where no limit is given.
pub const LIMIT_DEFAULT: usize = 50;
/// Items of a list, at most.
pub const LIMIT_MAX: usize = 200;
/// Characters of `q`, and of a tag to look for, at most.
const WORDS_MAX: usize = 200;

/// A list that is asked for.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Of the tasks as they are.
    Now(TaskQuery),
    /// Of all tasks outside the trash as they were. Of the query, order, limit and cursor count.
    Past(AsOf, TaskQuery),
}

/// Gathers the parameters of a list, and everything that is wrong with them.
#[derive(Debug, Default)]
pub struct ListRequest {
    query: TaskQuery,
    cursor: Option<String>,
    as_of: Option<AsOf>,
    /// The first parameter that does not go with `as_of`.
    filter: Option<String>,
    errors: Vec<FieldError>,
}

impl ListRequest {
    /// Reads parameters by name. Empty ones count as left out, unknown ones are passed over.
    ///
    /// # Errors
    /// `validation_failed`, naming every parameter that is wrong.
    pub fn parse<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Listed, Fault> {
        let mut request = Self::default();
        request.query.limit = LIMIT_DEFAULT;
        for (name, value) in parameters {
            if !value.is_empty()
                && let Err(words) = request.set(name, value)
            {
                request.errors.push(FieldError::new(name, "invalid", words));
            }
        }
        request.finish()
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let query = &mut self.query;
        match name {
            "view" => {
                query.view =
                    view(value).ok_or("View is all, inbox, today, upcoming, completed or trash.")?
            }
            "q" => query.q = Some(words("Search words", value)?),
            "tag" => query.tags = vec![words("Tag", value)?],
            "priority" => {
                let words = "Priority is none, low, medium, high or urgent.";
                query.priority = Some(value.parse().map_err(|()| words)?);
            }
            "completed" => {
                query.completed = Some(value.parse().map_err(|_| "Completed is true or false.")?);
            }
            "due_before" | "due_after" => {
                let date = parse_date(value).map_err(|_| "A date is written YYYY-MM-DD.")?;
                let slot = match name {
                    "due_before" => &mut query.due_before,
                    _ => &mut query.due_after,
                };
                *slot = Some(date);
            }
            "sort" => {
                query.sort = sort(value).ok_or(
                    "Sort is position, due_date, priority, created_at, updated_at or title, \
                 with - before it to turn it round.",
                )?
            }
            "limit" => query.limit = limit(value, LIMIT_MAX)?,
            "cursor" => self.cursor = Some(value.to_owned()),
            "as_of" => {
                self.as_of = Some(moment(value).ok_or(
                    "As of is an instant, such as 2026-12-10T13:30:00Z, or seq: and a number.",
                )?)
            }
            _ => {}
        }
        let narrows = match name {
            "view" => query.view != View::All,
            "q" | "tag" | "priority" | "completed" | "due_before" | "due_after" => true,
            _ => false,
        };
        if narrows && self.filter.is_none() {
            self.filter = Some(name.to_owned());
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Listed, Fault> {
        if let Some(cursor) = &self.cursor {
            match read_cursor(cursor) {
                Ok(after) if after.sort == self.query.sort => self.query.after = Some(after),
                Ok(_) => self.errors.push(FieldError::new(
                    "cursor",
                    "invalid",
                    "That cursor belongs to a list in another order.",
                )),
                Err(error) => self.errors.push(error),
            }
        }
        if self.as_of.is_some()
            && let Some(filter) = self.filter
        {
            let words = format!("as_of shows all tasks: it does not go with {filter}.");
            self.errors.push(FieldError::new("as_of", "invalid", words));
        }
        if !self.errors.is_empty() {
            return Err(Fault::fields(self.errors));
        }
        Ok(match self.as_of {
            None => Listed::Now(self.query),
            Some(moment) => Listed::Past(moment, self.query),
        })
    }
}

/// Reads a limit.
///
/// # Errors
/// Words for a field error unless it is 1 to `max`.
pub fn limit(text: &str, max: usize) -> Result<usize, String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let limit = text
        .parse()
        .ok()
        .filter(|n| digits && (1..=max).contains(n));
    limit.ok_or_else(|| format!("Limit is a number from 1 to {max}."))
}

fn view(text: &str) -> Option<View> {
    Some(match text {
        "all" => View::All,
        "inbox" => View::Inbox,
        "today" => View::Today,
        "upcoming" => View::Upcoming,
        "completed" => View::Completed,
        "trash" => View::Trash,
        _ => return None,
    })
}

fn sort(text: &str) -> Option<Sort> {
    let (descending, key) = match text.strip_prefix('-') {
        Some(key) => (true, key),
        None => (false, text),
    };
    let key = match key {
        "position" => SortKey::Position,
        "due_date" => SortKey::DueDate,
        "priority" => SortKey::Priority,
        "created_at" => SortKey::CreatedAt,
        "updated_at" => SortKey::UpdatedAt,
        "title" => SortKey::Title,
        _ => return None,
    };
    Some(Sort { key, descending })
}

fn words(name: &str, text: &str) -> Result<String, String> {
    if text.chars().count() > WORDS_MAX {
        return Err(format!("{name} can have at most {WORDS_MAX} characters."));
    }
    Ok(text.to_owned())
}

fn moment(text: &str) -> Option<AsOf> {
    if let Some(seq) = text.strip_prefix("seq:") {
        let digits = seq.bytes().all(|b| b.is_ascii_digit());
        return seq.parse().ok().filter(|_| digits).map(AsOf::Seq);
    }
    // A plus that was not escaped in the query arrives as a space.
    let zoned = text.replace(' ', "+");
    zoned.parse().ok().map(AsOf::At)
}

/// A cursor as clients carry it.
pub fn write_cursor(cursor: &Cursor) -> String {
    let json = serde_json::to_vec(cursor).unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

/// Reads what [`write_cursor`] wrote.
///
/// # Errors
/// A field error on `cursor`.
pub fn read_cursor(text: &str) -> Result<Cursor, FieldError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let cursor: Option<Cursor> = json.and_then(|json| serde_json::from_slice(&json).ok());
    cursor
        .filter(|cursor| fits(cursor.sort.key, &cursor.value))
        .ok_or_else(|| {
            let words = "That cursor is not one of ours. Start from the beginning of the list.";
            FieldError::new("cursor", "invalid", words)
        })
}

/// Whether a value is of the kind that the key sorts by.
fn fits(key: SortKey, value: &Value) -> bool {
    match key {
        SortKey::Position | SortKey::Title => value.is_string(),
        SortKey::Priority | SortKey::CreatedAt | SortKey::UpdatedAt => value.is_i64(),
        SortKey::DueDate | SortKey::CompletedAt | SortKey::DeletedAt => {
            value.is_null() || value.is_i64()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(parameters: &[(&str, &str)]) -> Vec<String> {
        let fault = ListRequest::parse(parameters.iter().copied()).unwrap_err();
        fault.errors.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = [
            ("view", "everything"),
            ("sort", "deleted_at"),
            ("limit", "201"),
            ("priority", "huge"),
            ("completed", "yes"),
            ("due_before", "10.12.2026"),
            ("cursor", "xyz"),
            ("as_of", "yesterday"),
        ];
        let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
        let mut named = faults(&wrong);
        named.sort();
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        names.sort();
        assert_eq!(named, names);
        for limit in ["0", "+5", "-1", "1e1", "99999999999999999999"] {
            assert_eq!(faults(&[("limit", limit)]), ["limit"], "{limit}");
        }
    }

    #[test]
    fn a_cursor_goes_with_its_own_order_only() {
        let cursor = Cursor {
            sort: sort("-title").unwrap(),
            value: json!("milk"),
            id: tidings_domain::id::TaskId(uuid::Uuid::from_u128(7)),
        };
        let text = write_cursor(&cursor);
        assert_eq!(read_cursor(&text).unwrap(), cursor);
        assert_eq!(faults(&[("cursor", &text)]), ["cursor"]);
        assert!(ListRequest::parse([("sort", "-title"), ("cursor", &text)]).is_ok());
    }

    #[test]
    fn the_past_takes_no_filter() {
        assert!(ListRequest::parse([("as_of", "seq:3"), ("view", "all")]).is_ok());
        assert!(ListRequest::parse([("as_of", "2026-01-01T00:00:00+01:00"), ("q", "")]).is_ok());
        for filter in [("view", "inbox"), ("q", "milk"), ("completed", "true")] {
            assert_eq!(faults(&[("as_of", "seq:3"), filter]), ["as_of"]);
        }
        assert_eq!(faults(&[("as_of", "seq:-3")]), ["as_of"]);
    }
}
