//! Icons: drawn once in the document, used by name.

use crate::view::Markup;

/// The drawings, as symbols; once in the document's body.
pub const SYMBOLS: &str = include_str!("icons.svg");

/// One of the icons. Says nothing by itself: what it stands for is written beside it or is the
/// label of its button.
pub fn icon(name: &'static str) -> Markup {
    let html = [
        "<svg aria-hidden=\"true\"><use href=\"",
        name,
        "\"></use></svg>",
    ];
    Markup::Fixed(html.concat().into())
}
