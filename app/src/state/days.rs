//! A view's tasks by the day they are due.

use crate::prelude::*;
use chrono::NaiveDate;
use tidings_domain::{id::TaskId, view::View};

use super::Client;

/// Days, each with its tasks, in the view's order.
pub type Days = Vec<(NaiveDate, Vec<TaskId>)>;

impl Client {
    /// The known tasks of a view that have a due date, by day.
    pub fn days(self, view: View) -> Memo<Days> {
        Memo::new(move |_| {
            self.revision.track();
            self.with_here(|here| {
                self.core.with_value(|core| {
                    let mut days = Days::new();
                    for id in core.list(&view, here) {
                        let Some(day) = core.shown(id).and_then(|t| here.due_day(t)) else {
                            continue;
                        };
                        match days.last_mut() {
                            Some((last, ids)) if *last == day => ids.push(id),
                            _ => days.push((day, vec![id])),
                        }
                    }
                    days
                })
            })
        })
    }
}
