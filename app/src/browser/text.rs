//! What takes tables of Unicode: the browser has them, and its build does without.

#[cfg(feature = "hydrate")]
use js_sys::{JsString, RegExp};

/// Text without regard to case and accents, as the server folds it, with a space for what is no
/// letter or digit, where that may lie outside ASCII.
#[cfg(feature = "hydrate")]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = String::from(JsString::from(text).normalize("NFKD"));
    // Its lower case is another at the end of a word; not so for the server.
    let kept: String = decomposed
        .chars()
        .filter(|c| !is_mark(*c))
        .map(|c| if matches!(c, 'Σ' | 'ς') { 'σ' } else { c })
        .collect();
    let others = RegExp::new(r"[^\p{Alphabetic}\p{N}]+", "gu");
    let lower = JsString::from(kept).to_lower_case();
    lower.replace_by_pattern(&others, " ").into()
}

/// Text without regard to case and accents.
#[cfg(all(feature = "ssr", not(feature = "hydrate")))]
pub fn fold(text: &str) -> String {
    tidings_domain::text::fold(text)
}

/// Text in capitals.
pub fn upper(text: &str) -> String {
    #[cfg(feature = "hydrate")]
    return JsString::from(text).to_upper_case().into();
    #[cfg(not(feature = "hydrate"))]
    text.to_uppercase()
}

/// Text without regard to case.
#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// The marks of the scripts that decompose. The few others are no parts of words in search.
#[cfg(feature = "hydrate")]
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{93c}' | '\u{94d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{3099}' | '\u{309a}' | '\u{fe20}'..='\u{fe2f}')
}
