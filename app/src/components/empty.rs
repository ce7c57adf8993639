//! What an empty view says: what it is for, and the next step.

use crate::prelude::*;

use super::icon::icon;
use crate::ui::Ui;

/// An empty view. With `add`, the next step is the add line.
pub fn empty(drawing: &'static str, heading: String, words: &'static str, add: bool) -> Markup {
    let ui = Ui::get();
    let start = move |_| {
        if let Some(line) = ui.add.get_untracked() {
            let _ = line.focus();
        }
    };
    view! {
        <div class="empty">
            {icon(drawing)}
            <h2>{heading}</h2>
            <p>{words}</p>
            {add
                .then(|| {
                    view! {
                        <button type="button" class="btn js" on:click=start>
                            "Add a task"
                        </button>
                    }
                })}
        </div>
    }
}
