//! The frame of pages without a person: a card in the middle.

use super::icon::icon;
use crate::prelude::*;

/// Frames `inside`.
pub fn lone(inside: Markup) -> Markup {
    view! {
        <main class="lone" id="main">
            <div class="card">
                <a class="brand" href="/">
                    {icon("#wave")}
                    "Tidings"
                </a>
                {inside}
            </div>
        </main>
    }
}
