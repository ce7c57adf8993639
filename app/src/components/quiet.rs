//! A text that is edited where it stands. What comes from elsewhere while one types is announced,
//! not forced in.

use crate::prelude::*;
use leptos::ev;
use tidings_domain::{
    command::{Command, TaskPatch},
    id::TaskId,
    task::Task,
};
use web_sys::HtmlTextAreaElement;

use crate::state::Client;

/// Which text.
#[derive(Clone, Copy)]
pub struct Quiet {
    /// For those who do not see where it stands.
    pub label: &'static str,
    /// Its name in the form, and its class.
    pub name: &'static str,
    /// Shown where there is none.
    pub placeholder: &'static str,
    /// The most characters.
    pub most: &'static str,
    /// Whether it may hold more than a line; else Enter saves.
    pub lines: bool,
    /// The text of a task.
    pub get: fn(&Task) -> &str,
    /// The patch that sets it; nothing where the text cannot be.
    pub set: fn(String) -> Option<TaskPatch>,
}

/// The text as it stands in markup; a textarea drops a first line end.
fn markup(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    if escaped.starts_with('\n') {
        ["\n", &escaped].concat()
    } else {
        escaped
    }
}

/// The field.
pub fn quiet(task: ReadSignal<Option<Task>>, id: TaskId, of: Quiet) -> Markup {
    let client = Client::get();
    let now = move || {
        task.with(|t| {
            t.as_ref()
                .map(|t| (of.get)(t).to_owned())
                .unwrap_or_default()
        })
    };
    // What is typed, while the field has the focus, and what it said when it took it.
    let draft = RwSignal::new(None::<String>);
    let before = RwSignal::new(String::new());
    let other = Memo::new(move |_| {
        let theirs = now();
        let typing = draft.with(|d| d.as_ref().is_some_and(|d| *d != theirs));
        (typing && before.with(|b| *b != theirs)).then_some(theirs)
    });
    let start = move || {
        before.set(now());
        draft.set(Some(now()));
    };
    let save = move || {
        let Some(text) = draft.get_untracked() else {
            return;
        };
        draft.set(None);
        if before.with_untracked(|b| *b != text)
            && text != now()
            && let Some(patch) = (of.set)(text)
        {
            client.change(id, Command::Edit(patch));
        }
    };
    let keys = move |event: ev::Targeted<ev::KeyboardEvent, HtmlTextAreaElement>| {
        let field = event.target();
        match event.key().as_str() {
            "Enter"
                if (!of.lines || event.ctrl_key() || event.meta_key()) && !event.is_composing() =>
            {
                event.prevent_default();
                let _ = field.blur();
            }
            "Escape" => {
                event.stop_propagation();
                draft.set(None);
                field.set_value(&now());
                let _ = field.blur();
            }
            _ => {}
        }
    };
    let announced = move || {
        other.get().map(|theirs| {
            let take = move |event: ev::MouseEvent| {
                event.prevent_default();
                start();
            };
            let shown = if theirs.is_empty() {
                "nothing".to_owned()
            } else {
                theirs
            };
            view! {
                <div class="other">
                    <span>"Changed elsewhere to: " {shown}</span>
                    // Pressing it may not take the focus: losing that would save what was typed.
                    <button type="button" class="link" on:mousedown=take on:click=take>
                        "Take that"
                    </button>
                </div>
            }
        })
    };
    view! {
        <textarea
            class=["quiet ", of.name].concat()
            name=of.name
            rows="1"
            aria-label=of.label
            placeholder=of.placeholder
            maxlength=of.most
            inner_html=markup(&task.with_untracked(|t| {
                t.as_ref().map(|t| (of.get)(t).to_owned()).unwrap_or_default()
            }))
            prop:value=move || draft.get().unwrap_or_else(now)
            on:focus=move |_| start()
            on:input:target=move |event| draft.set(Some(event.target().value()))
            on:blur=move |_| save()
            on:keydown:target=keys
        ></textarea>
        <div role="status">{announced}</div>
    }
}
