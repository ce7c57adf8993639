//! The table of keyboard shortcuts, in a dialog.

use crate::prelude::*;
use web_sys::HtmlDialogElement;

use super::icon::icon;
use crate::keys::SHORTCUTS;

/// The dialog; `node` is how it is opened.
pub fn help(node: NodeRef<HtmlDialogElement>) -> Markup {
    let lines: Vec<_> = SHORTCUTS
        .iter()
        .map(|line| {
            view! {
                <dt>
                    <kbd>{line.shown}</kbd>
                </dt>
                <dd>{line.words}</dd>
            }
        })
        .collect();
    view! {
        <dialog node_ref=node aria-labelledby="help-title">
            <div class="head">
                <h2 id="help-title">"Keyboard shortcuts"</h2>
                <form method="dialog">
                    <button class="icon" aria-label="Close">
                        {icon("#close")}
                    </button>
                </form>
            </div>
            <dl class="keys">{lines}</dl>
        </dialog>
    }
}
