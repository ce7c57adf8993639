//! What stands under a title: when it is due, how it repeats, the reminder, the tags.

use crate::prelude::*;
use tidings_domain::{recurrence, task::Task, time, view::Here};

use super::icon::icon;
use crate::{
    route::Route,
    words::{self, Pressure},
};

/// One thing said of a task.
#[derive(PartialEq)]
struct Said {
    class: &'static str,
    drawing: Option<&'static str>,
    words: String,
}

fn said(task: &Task, here: &Here<'_>, in_day: bool) -> Vec<Said> {
    let mut all = Vec::new();
    let mut say = |class, drawing, words| {
        all.push(Said {
            class,
            drawing,
            words,
        });
    };
    if let Some(at) = task.deleted_at {
        say(
            "",
            Some("#bin"),
            ["Deleted ", &words::moment(at, here)].concat(),
        );
        return all;
    }
    if let Some(at) = task.completed_at {
        say("", None, ["Done ", &words::moment(at, here)].concat());
        return all;
    }
    if let Some((words, pressure)) = words::due(task, here, in_day) {
        let class = match pressure {
            Pressure::Late => "late",
            Pressure::Now if task.due_time.is_some() || !in_day => "now",
            _ => "",
        };
        let drawing = (task.due_time.is_some() || !in_day).then_some("#cal");
        // Colour alone says nothing to some: what is late also says so.
        let late = pressure == Pressure::Late && here.due_day(task) == Some(here.today);
        let words = if late {
            ["Late, ", &words].concat()
        } else {
            words
        };
        say(class, drawing, words);
    }
    if let Some(recurrence) = &task.recurrence {
        let words = recurrence::words(&recurrence.rule, recurrence.from);
        say("", Some("#rep"), words);
    }
    if let Some(at) = task.remind_at {
        say("", Some("#bell"), reminder(task, at, here));
    }
    all
}

/// A reminder: its time on the day the task is due, else the day too.
pub fn reminder(task: &Task, at: time::Timestamp, here: &Here<'_>) -> String {
    let local = time::local(here.zones, here.zone, at);
    if Some(local.date()) == here.due_day(task) {
        words::clock(local)
    } else {
        words::moment_with_day(at, here)
    }
}

/// The line under a title, as it is said: as long as that stays the same, so does what is drawn.
#[derive(PartialEq)]
pub struct Meta {
    said: Vec<Said>,
    tags: Vec<String>,
}

impl Meta {
    /// What is said of a task. With `in_day`, its day need not be.
    pub fn of(task: &Task, here: &Here<'_>, in_day: bool) -> Self {
        Self {
            said: said(task, here, in_day),
            tags: task.tags.clone(),
        }
    }

    /// The line.
    pub fn view(&self) -> Markup {
        let said = self.said.iter().map(|said| {
            view! {
                <span class=said.class>
                    {said.drawing.map(icon)}
                    {said.words.clone()}
                </span>
            }
        });
        let tags = self.tags.iter().map(|tag| {
            view! {
                <a class="tag" href=Route::Tag(tag.clone()).href()>
                    {tag.clone()}
                </a>
            }
        });
        Markup::Sequence(said.chain(tags).collect())
    }
}
