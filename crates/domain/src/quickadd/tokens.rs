//! The words of a line.

use std::ops::Range;

use super::names;

/// Marks that may follow a word without being part of it.
const MARKS: [char; 3] = [',', ';', '.'];

struct Token<'a> {
    start: usize,
    /// As written, with all that touches it.
    raw: &'a str,
    /// In lower case, without marks after it; `None` where it is to stay a word.
    word: Option<String>,
}

/// The words of a line, parted by white space.
pub(super) struct Tokens<'a>(Vec<Token<'a>>);

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str, ignored: &[Range<usize>]) -> Self {
        let token = |raw: &'a str| {
            // Both are slices of the same text.
            let start = raw.as_ptr() as usize - text.as_ptr() as usize;
            let end = start + raw.len();
            let stays =
                raw.starts_with('\\') || ignored.iter().any(|i| i.start < end && start < i.end);
            let word = (!stays).then(|| written(raw).to_ascii_lowercase());
            Token { start, raw, word }
        };
        Self(text.split_whitespace().map(token).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The word in lower case without marks after it, unless it is to stay a word.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.word.as_deref()
    }

    /// The word as written, without marks after it.
    pub(super) fn written(&self, at: usize) -> &'a str {
        self.0.get(at).map_or("", |token| written(token.raw))
    }

    /// Whether a full stop follows the word, as in `24.12.`
    pub(super) fn has_stop(&self, at: usize) -> bool {
        let stop = |token: &Token<'_>| {
            let rest = token.raw.trim_end_matches([',', ';']);
            rest.ends_with('.')
        };
        self.0.get(at).is_some_and(stop)
    }

    /// The word as a title shows it: without the backslash that kept it a word.
    pub(super) fn shown(&self, at: usize) -> &'a str {
        let raw = self.0.get(at).map_or("", |token| token.raw);
        match raw.strip_prefix('\\') {
            Some(rest) if !plain(rest) => rest,
            _ => raw,
        }
    }

    /// The bytes that some words span, without marks after the last.
    pub(super) fn range(&self, words: &Range<usize>) -> Range<usize> {
        let first = self.0.get(words.start);
        let last = self.0.get(words.end.saturating_sub(1));
        let end = last.map_or(0, |token| token.start + written(token.raw).len());
        first.map_or(0, |token| token.start)..end
    }
}

fn written(raw: &str) -> &str {
    raw.trim_end_matches(MARKS)
}

/// Whether nothing that is understood can begin with the word, any backslashes aside.
pub(super) fn plain(word: &str) -> bool {
    let word = written(word.trim_start_matches('\\'));
    !word.starts_with(|c: char| c == '#' || c == '!' || c.is_ascii_digit())
        && !names::begins(&word.to_ascii_lowercase())
}
