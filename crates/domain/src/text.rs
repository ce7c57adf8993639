//! Words: what characters a text may hold, and the folded form that search and sorting use.

/// Whether `text` holds a control character other than newline and tab.
pub fn has_control(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// Text without regard to case and accents: decomposed, marks dropped, lower case, where sigma is the
/// same at the end of a word.
#[cfg(feature = "server")]
pub fn fold(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c == 'ς' { 'σ' } else { c })
        .collect()
}

/// The words of a folded text: its runs of letters and digits.
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    #[cfg(feature = "server")]
    let words = folded.split(|c: char| !c.is_alphanumeric());
    // The browser's fold leaves nothing beyond ASCII that is not of a word.
    #[cfg(not(feature = "server"))]
    let words = pieces(folded);
    words.filter(|w| !w.is_empty())
}

/// What stands between marks and spaces of ASCII: words, and what touches them.
pub fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
}

/// Whether the search box may take a word for a filter: `#home`, `!high`, `due:today`.
pub fn may_filter(word: &str) -> bool {
    let due = word.get(..4);
    word.starts_with(['#', '!']) || due.is_some_and(|due| due.eq_ignore_ascii_case("due:"))
}

/// Whether every word of `query` begins a word of `text`; both folded.
pub fn matches(query: &str, text: &str) -> bool {
    words(query).all(|q| words(text).any(|w| w.starts_with(q)))
}
