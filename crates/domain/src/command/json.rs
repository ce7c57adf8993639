//! Reads changes from the JSON of a request, field by field.

use serde_json::{Map, Value};

use super::{READ_ONLY, ReadOnly, TaskPatch};
use crate::{
    error::{Fault, FieldError},
    task::{Priority, RecurFrom, Recurrence},
    time::parse_date,
};

/// Errors that one refusal names; a body could hold any number of fields.
const ERRORS_MAX: usize = 32;
/// Scalar values that a refusal repeats of a field's name.
const FIELD_MAX: usize = 60;

impl TaskPatch {
    /// Reads a JSON object of fields. `null` clears what can be cleared and is the default of what
    /// can be defaulted.
    ///
    /// # Errors
    /// `validation_failed`, naming every field that is wrong.
    pub fn from_json(object: &Map<String, Value>, read_only: ReadOnly) -> Result<Self, Fault> {
        let mut patch = Self::default();
        let mut errors = Vec::new();
        for (name, value) in object {
            if let Err(error) = patch.set(name, value, read_only) {
                errors.push(error);
            }
            if errors.len() == ERRORS_MAX {
                break;
            }
        }
        if errors.is_empty() {
            Ok(patch)
        } else {
            Err(Fault::fields(errors))
        }
    }

    fn set(&mut self, name: &str, value: &Value, read_only: ReadOnly) -> Result<(), FieldError> {
        let bad = |message: &str| FieldError::new(name, "invalid", message);
        let text = |message: &str| value.as_str().ok_or_else(|| bad(message));
        let null = value.is_null();
        match name {
            "title" => self.title = Some(text("Title must be a text.")?.to_owned()),
            "description" if null => self.description = Some(String::new()),
            "description" => {
                self.description = Some(text("Description must be a text.")?.to_owned());
            }
            "completed" if null => self.completed = Some(false),
            "completed" => {
                let done = value
                    .as_bool()
                    .ok_or_else(|| bad("Completed is true or false."))?;
                self.completed = Some(done);
            }
            "priority" if null => self.priority = Some(Priority::None),
            "priority" => {
                let words = "Priority is none, low, medium, high or urgent.";
                self.priority = Some(text(words)?.parse().map_err(|()| bad(words))?);
            }
            "tags" if null => self.tags = Some(Vec::new()),
            "tags" => {
                let words = "Tags must be a list of texts.";
                let tags = value.as_array().ok_or_else(|| bad(words))?;
                let tags = tags.iter().map(|t| t.as_str().map(str::to_owned));
                self.tags = Some(tags.collect::<Option<_>>().ok_or_else(|| bad(words))?);
            }
            "due_date" if null => self.due_date = Some(None),
            "due_date" => {
                let words = "Due date is written YYYY-MM-DD.";
                self.due_date = Some(Some(parse_date(text(words)?).map_err(|_| bad(words))?));
            }
            "due_time" if null => self.due_time = Some(None),
            "due_time" => {
                let words = "Due time is written HH:MM.";
                self.due_time = Some(Some(text(words)?.parse().map_err(|_| bad(words))?));
            }
            "time_zone" if null => self.time_zone = Some(None),
            "time_zone" => {
                let words = "Time zone is an IANA name, such as Europe/Berlin.";
                self.time_zone = Some(Some(text(words)?.to_owned()));
            }
            "remind_at" if null => self.remind_at = Some(None),
            "remind_at" => {
                let words = "The reminder is an instant, such as 2026-12-10T13:30:00Z.";
                self.remind_at = Some(Some(text(words)?.parse().map_err(|_| bad(words))?));
            }
            "recurrence" if null => self.recurrence = Some(None),
            "recurrence" => self.recurrence = Some(read_recurrence(value)?),
            "position" if null => {}
            "position" => {
                let words = "Position is 1 to 64 letters and digits.";
                self.position = Some(text(words)?.to_owned());
            }
            _ if READ_ONLY.contains(&name) => {
                if read_only == ReadOnly::Refuse {
                    let words = format!("{name} cannot be set.");
                    return Err(FieldError::new(name, "read_only", words));
                }
            }
            _ => {
                let name: String = name.chars().take(FIELD_MAX).collect();
                let words = format!("A task has no field {name}.");
                return Err(FieldError::new(name, "unknown", words));
            }
        }
        Ok(())
    }
}

/// Reads `recurrence`: an object, a rule, or one of the words that stand for a rule.
fn read_recurrence(value: &Value) -> Result<Option<Recurrence>, FieldError> {
    let bad = |message: &str| FieldError::new("recurrence", "invalid", message);
    let shape = "Recurrence is {rule, from} or one of none, daily, weekly, monthly, yearly.";
    match value {
        Value::String(word) if word == "none" => Ok(None),
        Value::String(word) => Ok(Some(Recurrence {
            rule: word.clone(),
            from: RecurFrom::default(),
        })),
        Value::Object(object) => {
            if let Some(name) = object
                .keys()
                .find(|k| !["rule", "from"].contains(&k.as_str()))
            {
                let name: String = name.chars().take(FIELD_MAX).collect();
                let words = format!("Recurrence has no field {name}.");
                return Err(FieldError::new(
                    format!("recurrence.{name}"),
                    "unknown",
                    words,
                ));
            }
            let rule = object
                .get("rule")
                .and_then(Value::as_str)
                .ok_or_else(|| bad(shape))?;
            let from = match object.get("from") {
                None | Some(Value::Null) => RecurFrom::default(),
                Some(Value::String(from)) if from == "due" => RecurFrom::Due,
                Some(Value::String(from)) if from == "completion" => RecurFrom::Completion,
                Some(_) => return Err(bad("From is due or completion.")),
            };
            Ok(Some(Recurrence {
                rule: rule.to_owned(),
                from,
            }))
        }
        _ => Err(bad(shape)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value, read_only: ReadOnly) -> Result<TaskPatch, Vec<(String, String)>> {
        let Value::Object(object) = value else {
            panic!("an object")
        };
        TaskPatch::from_json(&object, read_only).map_err(|fault| {
            fault
                .errors
                .into_iter()
                .map(|e| (e.field, e.code))
                .collect()
        })
    }

    #[test]
    fn null_clears() {
        let cleared = json!({"description": null, "completed": null, "priority": null, "tags": null,
            "due_date": null, "due_time": null, "remind_at": null, "recurrence": "none"});
        let patch = read(cleared, ReadOnly::Refuse).unwrap();
        let expected = TaskPatch {
            position: None,
            title: None,
            time_zone: None,
            ..TaskPatch::default().whole()
        };
        assert_eq!(patch, expected);
        assert!(read(json!({"title": null}), ReadOnly::Ignore).is_err());
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = json!({"titel": 1, "version": 2, "due_date": "2026-2-3", "due_time": "9:00",
            "priority": "top", "tags": [1], "recurrence": {"rule": "daily", "until": 1}, "remind_at": "soon"});
        let errors = read(wrong.clone(), ReadOnly::Refuse).unwrap_err();
        let named = |name: &str, code: &str| errors.contains(&(name.into(), code.into()));
        assert_eq!(errors.len(), 8);
        assert!(named("titel", "unknown") && named("version", "read_only"));
        assert!(named("due_date", "invalid") && named("recurrence.until", "unknown"));
        assert_eq!(read(wrong, ReadOnly::Ignore).unwrap_err().len(), 7);
        let many: Map<_, _> = (0..500).map(|n| ("x".repeat(n + 61), json!(n))).collect();
        let errors = read(Value::Object(many), ReadOnly::Ignore).unwrap_err();
        assert!(errors.len() == ERRORS_MAX && errors[0].0.len() == FIELD_MAX);
    }

    #[test]
    fn words_and_rules_of_recurrence() {
        for value in [json!("weekly"), json!({"rule": "RRULE:freq=weekly"})] {
            let patch = read(json!({ "recurrence": value }), ReadOnly::Refuse).unwrap();
            let recurrence = patch.checked().unwrap().recurrence.flatten().unwrap();
            assert_eq!(recurrence.rule, "FREQ=WEEKLY");
        }
        for value in [
            json!(3),
            json!({}),
            json!({"rule": "daily", "from": "then"}),
        ] {
            let patch = json!({ "recurrence": value });
            assert!(read(patch, ReadOnly::Refuse).is_err());
        }
    }
}
