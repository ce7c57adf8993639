//! The fields of a task other than its texts: each says what it is, and opens to be changed. They
//! are parts of one form, which saves them all where there is no script.

use crate::prelude::*;
use leptos::ev;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    recurrence,
    task::{Priority, RecurFrom, Task},
    time::Timestamp,
    view::Here,
};
use web_sys::HtmlInputElement;

use super::meta::reminder;
use crate::{
    fields::{self, Fields},
    state::Client,
    words,
};

/// A task, its id and how it is changed.
#[derive(Clone, Copy)]
pub struct Edited {
    /// The store; handlers of events run where no context is found.
    pub client: Client,
    /// The task.
    pub task: ReadSignal<Option<Task>>,
    /// Its id.
    pub id: TaskId,
}

impl Edited {
    /// Reads the task with where and when the person is; nothing once it is gone.
    fn read<T: Default>(self, f: impl FnOnce(&Task, &Here<'_>) -> T) -> T {
        self.client.with_here(|here| {
            self.task
                .with(|t| t.as_ref().map(|t| f(t, here)).unwrap_or_default())
        })
    }

    /// A text of the form.
    fn field(self, f: fn(Fields) -> String) -> String {
        self.read(|task, here| f(Fields::of(task, here)))
    }

    /// Changes the task by what `f` puts into a patch.
    fn set(self, f: impl FnOnce(&mut TaskPatch, &Task, &Here<'_>)) {
        let client = self.client;
        let Some(task) = client.peek(self.id) else {
            return;
        };
        let mut patch = TaskPatch::default();
        untrack(|| client.with_here(|here| f(&mut patch, &task, here)));
        if patch != TaskPatch::default() {
            client.change(self.id, Command::Edit(patch));
        }
    }
}

/// A field that opens.
fn prop(
    label: &'static str,
    says: impl Fn() -> (String, &'static str) + Send + 'static,
    editor: Markup,
) -> Markup {
    view! {
        <details class="prop" name="prop">
            <summary>
                <span class="k">{label}</span>
                {move || {
                    let (words, class) = says();
                    view! { <span class=class>{words}</span> }
                }}
            </summary>
            <div class="editor">{editor}</div>
        </details>
    }
}

/// A button that sets a field to something often wanted.
fn chip(words: &'static str, set: impl Fn() + 'static) -> Markup {
    view! {
        <button type="button" class="chip js" on:click=move |_| set()>
            {words}
        </button>
    }
}

fn or_none(words: String) -> (String, &'static str) {
    if words.is_empty() {
        ("None".into(), "none")
    } else {
        (words, "")
    }
}

/// The due date and time.
pub fn due(of: Edited) -> Markup {
    let client = of.client;
    let says = move || {
        client.now().track();
        of.read(|task, here| match words::due(task, here, false) {
            Some((words, words::Pressure::Late)) => (words, "p-urgent"),
            Some((words, _)) => (words, ""),
            None => ("None".to_owned(), "none"),
        })
    };
    let on = move |days: Option<u64>| {
        move || {
            of.set(|patch, task, here| {
                let date = days.and_then(|d| here.today.checked_add_days(chrono::Days::new(d)));
                let time = fields::due(task, here).1;
                fields::set_due(patch, task, here, date, time);
            });
        }
    };
    let date = move |event: ev::Targeted<web_sys::Event, HtmlInputElement>| {
        // A date that is half typed is none; only an empty field takes the date away.
        let field = event.target();
        if let Ok(date) = fields::read_date(&field.value())
            && (date.is_some() || field.validity().valid())
        {
            of.set(|patch, task, here| {
                let (was, time) = fields::due(task, here);
                if date != was {
                    fields::set_due(patch, task, here, date, time);
                }
            });
        }
    };
    let time = move |event: ev::Targeted<web_sys::Event, HtmlInputElement>| {
        if let Ok(time) = fields::read_time(&event.target().value()) {
            of.set(|patch, task, here| {
                let (date, was) = fields::due(task, here);
                if time != was {
                    let date = date.or(Some(here.today));
                    fields::set_due(patch, task, here, date, time);
                }
            });
        }
    };
    let (due_date, due_time) = (
        move || of.field(|f| f.due_date),
        move || of.field(|f| f.due_time),
    );
    let editor = view! {
        <div class="chips">
            {chip("Today", on(Some(0)))} {chip("Tomorrow", on(Some(1)))}
            {chip("In a week", on(Some(7)))} {chip("No date", on(None))}
        </div>
        <div class="pair">
            <input
                class="input"
                type="date"
                name="due_date"
                aria-label="Due date"
                max="9999-12-31"
                value=due_date
                prop:value=due_date
                on:change:target=date
            />
            <input
                class="input"
                type="time"
                name="due_time"
                aria-label="Due time"
                value=due_time
                prop:value=due_time
                on:change:target=time
            />
        </div>
    };
    prop("Due", says, editor)
}

/// How it repeats.
pub fn repeat(of: Edited) -> Markup {
    let wrong = RwSignal::new(None::<String>);
    let says = move || {
        or_none(of.read(|task, _| {
            let rule = task.recurrence.as_ref();
            rule.map(|r| {
                let from = match r.from {
                    RecurFrom::Due => ", from the due date",
                    RecurFrom::Completion => "",
                };
                [&recurrence::words(&r.rule, r.from), from].concat()
            })
            .unwrap_or_default()
        }))
    };
    let set = move |text: String, from: Option<String>| {
        let from = from.unwrap_or_else(|| untrack(|| of.field(|f| f.from)));
        wrong.set(None);
        of.set(|patch, task, here| {
            match fields::read_repeat(&text, &from, here) {
                Ok(recurrence) if recurrence != task.recurrence => {
                    // What repeats from its due date needs one.
                    let due = recurrence
                        .as_ref()
                        .is_some_and(|r| r.from == RecurFrom::Due);
                    if due && task.due_date.is_none() {
                        patch.due_date = Some(Some(here.today));
                    }
                    patch.recurrence = Some(recurrence);
                }
                Ok(_) => {}
                Err(words) => wrong.set(Some(words)),
            }
        });
    };
    let preset = move |rule: &'static str| move || set(rule.to_owned(), None);
    let repeat = move || of.field(|f| f.repeat);
    let from = move |value: &'static str, label: &'static str| {
        let checked = move || of.field(|f| f.from) == value;
        view! {
            <label>
                <input
                    type="radio"
                    name="from"
                    value=value
                    checked=untrack(checked)
                    prop:checked=checked
                    on:change=move |_| set(untrack(repeat), Some(value.to_owned()))
                />
                {label}
            </label>
        }
    };
    let editor = view! {
        <div class="chips">
            {chip("Every day", preset("daily"))}
            {chip("Every weekday", preset("every weekday"))}
            {chip("Every week", preset("weekly"))}
            {chip("Every month", preset("monthly"))}
            {chip("Every year", preset("yearly"))}
            {chip("Never", preset(""))}
        </div>
        <input
            class="input"
            name="repeat"
            aria-label="Repeat, in words"
            aria-describedby="repeat-note"
            aria-invalid=move || wrong.get().map(|_| "true")
            placeholder="every 2 weeks on monday"
            autocomplete="off"
            value=repeat
            prop:value=repeat
            on:change:target=move |event| set(event.target().value(), None)
        />
        <p id="repeat-note" class="small" class:bad-note=move || wrong.get().is_some()>
            {move || wrong.get()}
        </p>
        <fieldset class="radios">
            <legend class="sr">"The next one is counted"</legend>
            {from("due", "From the due date")}
            {from("completion", "From completion")}
        </fieldset>
    };
    prop("Repeats", says, editor)
}

/// The reminder.
pub fn remind(of: Edited) -> Markup {
    let client = of.client;
    let says = move || {
        or_none(of.read(|task, here| {
            task.remind_at
                .map(|at| {
                    let same = reminder(task, at, here);
                    if same.len() == 5 {
                        words::moment_with_day(at, here)
                    } else {
                        same
                    }
                })
                .unwrap_or_default()
        }))
    };
    let at = move |at: Option<Timestamp>| {
        of.set(|patch, task, _| {
            if at != task.remind_at {
                patch.remind_at = Some(at);
            }
        });
    };
    // Before the time it is due; a day without a time begins at nine.
    let before = move |minutes: i64| {
        move || {
            let nine = 9 * 60;
            let due = untrack(|| {
                of.read(|task, here| {
                    let all_day = if task.due_time.is_none() { nine } else { 0 };
                    task.due_at(here.zones)
                        .map(|at| at.plus_ms((all_day - minutes) * 60_000))
                })
            });
            at(due);
        }
    };
    let dated = Memo::new(move |_| of.read(|task, _| task.due_date.is_some()));
    let remind = move || of.field(|f| f.remind);
    let change = move |event: ev::Targeted<web_sys::Event, HtmlInputElement>| {
        let text = event.target().value();
        if let Ok(time) = untrack(|| client.with_here(|here| fields::read_local(&text, here))) {
            at(time);
        }
    };
    let editor = view! {
        <div class="chips">
            {move || {
                dated
                    .get()
                    .then(|| {
                        view! {
                            {chip("When it is due", before(0))}
                            {chip("15 minutes before", before(15))}
                            {chip("An hour before", before(60))}
                            {chip("A day before", before(24 * 60))}
                        }
                    })
            }} {chip("No reminder", move || at(None))}
        </div>
        <input
            class="input"
            type="datetime-local"
            name="remind"
            aria-label="Remind me at"
            max="9999-12-31T23:59"
            value=remind
            prop:value=remind
            on:change:target=change
        />
    };
    prop("Remind me", says, editor)
}

/// The priority.
pub fn priority(of: Edited) -> Markup {
    let says = move || {
        of.read(|task, _| {
            let class = match task.priority {
                Priority::None => "none",
                Priority::Low => "p-low",
                Priority::Medium => "p-medium",
                Priority::High => "p-high",
                Priority::Urgent => "p-urgent",
            };
            (words::priority(task.priority).to_owned(), class)
        })
    };
    let choices: Vec<_> = Priority::ALL
        .into_iter()
        .map(|value| {
            let checked = move || of.read(|task, _| task.priority == value);
            let set = move |_| {
                of.set(|patch, task, _| {
                    if task.priority != value {
                        patch.priority = Some(value);
                    }
                });
            };
            view! {
                <label>
                    <input
                        type="radio"
                        name="priority"
                        value=value.as_str()
                        checked=untrack(checked)
                        prop:checked=checked
                        on:change=set
                    />
                    {words::priority(value)}
                </label>
            }
        })
        .collect();
    let editor = view! {
        <fieldset class="radios">
            <legend class="sr">"Priority"</legend>
            {choices}
        </fieldset>
    };
    prop("Priority", says, editor)
}

/// The tags.
pub fn tags(of: Edited) -> Markup {
    let tags = move || of.field(|f| f.tags);
    let set = move |event: ev::Targeted<web_sys::Event, HtmlInputElement>| {
        let tags = fields::read_tags(&event.target().value());
        of.set(|patch, task, _| {
            if tags != task.tags {
                patch.tags = Some(tags);
            }
        });
    };
    let editor = view! {
        <input
            class="input"
            name="tags"
            aria-label="Tags, with commas between"
            placeholder="home, errands"
            autocomplete="off"
            value=tags
            prop:value=tags
            on:change:target=set
        />
    };
    prop("Tags", move || or_none(tags()), editor)
}
