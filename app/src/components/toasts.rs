//! What was done, with a way back, and what failed: for a moment, at the foot of the page.

use crate::prelude::*;

use super::icon::icon;
use crate::state::{
    Client,
    toast::{Toast, ToastKind},
};

/// The toasts. A live region, so that they are read out without taking the focus.
pub fn toasts() -> Markup {
    let toasts = Client::get().toasts();
    let one = move |toast: Toast| {
        let id = toast.id;
        let bad = toast.kind == ToastKind::Bad;
        let button = match toast.action {
            Some(action) => {
                let run = move |_| {
                    toasts.dismiss(id);
                    (action.run)();
                };
                view! { <button on:click=run>{action.label}</button> }
            }
            None => {
                let close = move |_| toasts.dismiss(id);
                view! {
                    <button aria-label="Close" on:click=close>
                        {icon("#close")}
                    </button>
                }
            }
        };
        view! {
            <div class="toast" class:bad=bad>
                <span>{toast.words}</span>
                {button}
            </div>
        }
    };
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For each=move || toasts.list().get() key=|t| t.id children=one />
        </div>
    }
}
