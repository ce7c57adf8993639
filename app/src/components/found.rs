//! Titles that a search has found.

use crate::{browser::text::fold, prelude::*};
use tidings_domain::text;

/// Words of a search that are marked: who types more sees the rest unmarked.
const WORDS: usize = 32;

/// A title in which the words are marked that begin as one of the search's does. What may be a filter
/// of it is none of its words.
pub fn marked(title: String, search: &str) -> Markup {
    let mut asked = String::new();
    let words = search.split_whitespace().filter(|w| !text::may_filter(w));
    for word in words.take(WORDS) {
        asked.push_str(word);
        asked.push(' ');
    }
    let asked = fold(&asked);
    let mut parts = Vec::new();
    let push = |parts: &mut Vec<Markup>, plain: Option<&str>| {
        if let Some(plain) = plain.filter(|plain| !plain.is_empty()) {
            parts.push(plain.to_owned().into_markup());
        }
    };
    let (mut plain, mut at) = (0, 0);
    for piece in text::pieces(&title) {
        let end = at + piece.len();
        let folded = fold(piece);
        if text::words(&asked).any(|word| text::matches(word, &folded)) {
            push(&mut parts, title.get(plain..at));
            parts.push(view! { <mark>{piece.to_owned()}</mark> });
            plain = end;
        }
        // What parts them is one byte.
        at = end + 1;
    }
    push(&mut parts, title.get(plain..));
    parts.into_markup()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is marked, in brackets.
    fn said(title: &str, search: &str) -> String {
        let Markup::Sequence(parts) = marked(title.to_owned(), search) else {
            panic!("no sequence");
        };
        let said = parts.into_iter().map(|part| match part {
            Markup::Text(text) => text.into_owned(),
            Markup::Element(html) => {
                let mut text = String::new();
                html.put(&mut text);
                text
            }
            _ => panic!("neither text nor element"),
        });
        let said = said.collect::<String>();
        said.replace("<mark>", "[").replace("</mark>", "]")
    }

    #[test]
    fn words_are_marked_that_begin_as_those_of_the_search() {
        for (title, search, expected) in [
            ("Buy milk, eggs", "egg MIL", "Buy [milk], [eggs]"),
            ("Milkshake", "milk", "[Milkshake]"),
            ("Buttermilk", "milk", "Buttermilk"),
            ("Call 12:30", "12:30", "Call [12]:[30]"),
            ("Home", "#home !home due:home", "Home"),
            ("Home", "\\#home", "[Home]"),
            ("Milk", "! 🎉", "Milk"),
            ("&milk", "milk", "&[milk]"),
        ] {
            assert_eq!(said(title, search), expected, "{title} {search}");
        }
    }

    #[test]
    fn nothing_of_a_title_becomes_markup() {
        assert_eq!(
            said("a <b>&amp; <img/src=x>", "img b"),
            "a <[b]>&amp; <[img]/src=x>"
        );
        let odd = said("x“<i>”y", "x");
        assert_eq!(odd, "[x“]<i>”y");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn accents_do_not_matter() {
        assert_eq!(said("Crème brûlée", "CREME bru"), "[Crème] [brûlée]");
        assert_eq!(said("Creme", "crè"), "[Creme]");
    }
}
