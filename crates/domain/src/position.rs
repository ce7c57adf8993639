//! Fractional indexes: keys in byte order, between any two of which another fits.
//!
//! After the scheme that David Greenspan describes in "Implementing Fractional Indexing": a key
//! is an integer, whose first letter says how many digits follow, and then a fraction. Going before
//! the first or after the last only counts the integer, so keys stay short. Keys of clients may be
//! any letters and digits; those that do not fit the scheme are split as plain strings.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The longest key.
pub const MAX: usize = 64;
/// The key of the first task of all.
pub const START: &str = "a0";

/// Whether a key may be used: 1 to 64 letters and digits.
pub fn is_valid(key: &str) -> bool {
    (1..=MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A key before `first`, or the first key of all. Where nothing fits before `first` (it is all
/// zeros), `first` itself: ties are ordered by id.
pub fn before(first: Option<&str>) -> String {
    between(None, first).unwrap_or_else(|| first.unwrap_or(START).to_owned())
}

/// A key between two: after `low` if there is one, before `high` if there is one. `None` where none
/// of at most [`MAX`] characters fits, or `low` is not below `high`.
pub fn between(low: Option<&str>, high: Option<&str>) -> Option<String> {
    if let (Some(low), Some(high)) = (low, high)
        && low >= high
    {
        return None;
    }
    let counted = match (low, high) {
        (None, None) => Some(START.to_owned()),
        (None, Some(high)) => integer(high).and_then(|i| {
            if i.len() < high.len() {
                Some(i.to_owned())
            } else {
                step(i, false)
            }
        }),
        (Some(low), None) => integer(low).and_then(|i| step(i, true)),
        (Some(low), Some(high)) => integer(low)
            .and_then(|i| step(i, true))
            .filter(|next| integer(high).is_some() && next.as_str() < high),
    };
    let key = match counted {
        Some(key) => key,
        None => middle(low.unwrap_or("").as_bytes(), high.map(str::as_bytes))?,
    };
    let fits = is_valid(&key)
        && low.is_none_or(|low| low < key.as_str())
        && high.is_none_or(|high| key.as_str() < high);
    fits.then_some(key)
}

/// `count` keys between two, evenly: for a move of many.
pub fn spread(low: Option<&str>, high: Option<&str>, count: usize) -> Option<Vec<String>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let middle = between(low, high)?;
    let half = (count - 1) / 2;
    let mut keys = spread(low, Some(&middle), half)?;
    let after = spread(Some(&middle), high, count - 1 - half)?;
    keys.push(middle);
    keys.extend(after);
    Some(keys)
}

/// The integer part of a key: `a` to `z` lead 1 to 26 digits, `Z` to `A` likewise below zero.
fn integer(key: &str) -> Option<&str> {
    let digits = match key.bytes().next()? {
        head @ b'a'..=b'z' => head - b'a' + 1,
        head @ b'A'..=b'Z' => b'Z' - head + 1,
        _ => return None,
    };
    key.get(..=usize::from(digits))
}

/// The next integer up or down, if there is one.
fn step(integer: &str, up: bool) -> Option<String> {
    let mut bytes = integer.as_bytes().to_vec();
    let (from, to) = if up { (b'z', b'0') } else { (b'0', b'z') };
    for digit in bytes[1..].iter_mut().rev() {
        if *digit != from {
            let at = DIGITS.iter().position(|d| d == digit)?;
            *digit = DIGITS[if up { at + 1 } else { at - 1 }];
            return String::from_utf8(bytes).ok();
        }
        *digit = to;
    }
    // All digits turned over: the head moves on, and the count of digits with it.
    let head = match (bytes[0], up) {
        (b'Z', true) => b'a',
        (b'a', false) => b'Z',
        (b'z', true) | (b'A', false) => return None,
        (head, true) => head + 1,
        (head, false) => head - 1,
    };
    let digits = if head >= b'a' {
        head - b'a' + 1
    } else {
        b'Z' - head + 1
    };
    let mut key = vec![head];
    key.resize(1 + usize::from(digits), to);
    String::from_utf8(key).ok()
}

/// The shortest string that is found digit by digit between two plain strings, not ending in the
/// least digit unless it must: before such a key little fits.
fn middle(low: &[u8], high: Option<&[u8]>) -> Option<String> {
    if let Some(zeros) = high.and_then(|high| high.strip_prefix(low))
        && zeros.iter().all(|byte| *byte == DIGITS[0])
    {
        // Only fewer zeros fit.
        let fewer = [low, zeros.get(..1)?].concat();
        return String::from_utf8(fewer).ok();
    }
    let value = |byte: &u8| DIGITS.iter().position(|d| d == byte);
    let mut key = Vec::new();
    // The upper bound, as long as the key so far is its beginning.
    let mut bound = high;
    for at in 0..MAX {
        let floor = low.get(at).map_or(Some(0), value)?;
        let ceiling = match bound {
            Some(high) => value(high.get(at)?)?,
            None => DIGITS.len(),
        };
        if ceiling > floor + 1 {
            key.push(DIGITS[(floor + ceiling) / 2]);
            return String::from_utf8(key).ok();
        }
        if ceiling == floor + 1 {
            if let Some(high) = bound
                && high.len() > at + 1
            {
                key.push(DIGITS[ceiling]);
                return String::from_utf8(key).ok();
            }
            bound = None;
        }
        key.push(DIGITS[floor]);
    }
    String::from_utf8(key).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_as_they_are_made() {
        assert_eq!(between(None, None).as_deref(), Some("a0"));
        assert_eq!(between(Some("a0"), None).as_deref(), Some("a1"));
        assert_eq!(between(Some("az"), None).as_deref(), Some("b00"));
        assert_eq!(between(None, Some("a0")).as_deref(), Some("Zz"));
        assert_eq!(between(None, Some("b00")).as_deref(), Some("az"));
        assert_eq!(between(Some("a0"), Some("a1")).as_deref(), Some("a0V"));
        assert_eq!(between(Some("a0"), Some("a2")).as_deref(), Some("a1"));
        assert_eq!(between(Some("a5"), Some("a6V")).as_deref(), Some("a6"));
        assert_eq!(between(Some("x"), Some("x00")).as_deref(), Some("x0"));
        assert_eq!(between(Some("x"), Some("x0")), None);
        assert_eq!(between(Some("a1"), Some("a1")), None);
        assert_eq!(between(Some("a2"), Some("a1")), None);
        assert_eq!(before(Some("0")), "0");
        assert_eq!(before(None), "a0");
    }

    #[test]
    fn many_at_either_end_stay_short() {
        let (mut first, mut last) = (START.to_owned(), START.to_owned());
        for _ in 0..5_000 {
            let lower = before(Some(&first));
            assert!(lower < first);
            first = lower;
            let higher = between(Some(&last), None).unwrap();
            assert!(higher > last);
            last = higher;
        }
        assert!(first.len() <= 4 && last.len() <= 4, "{first} {last}");
    }

    #[test]
    fn many_in_one_gap_stay_within_the_limit() {
        // Always next to the same neighbour, where halving is at its worst.
        let (low, mut high) = ("a0".to_owned(), "a1".to_owned());
        for _ in 0..200 {
            let key = between(Some(&low), Some(&high)).unwrap();
            assert!(low < key && key < high);
            high = key;
        }
        assert!(high.len() <= MAX);
    }

    /// The next string after `low` of those that may be keys.
    fn successor(low: &str) -> Option<String> {
        if low.len() < MAX {
            return Some(format!("{low}0"));
        }
        let mut bytes = low.trim_end_matches('z').as_bytes().to_vec();
        let last = bytes.last_mut()?;
        let at = DIGITS.iter().position(|d| d == last).unwrap();
        *last = DIGITS[at + 1];
        String::from_utf8(bytes).ok()
    }

    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9A-Za-z]{1,6}",
            "[01yz]{1,4}",
            "[a-c][0z]{1,5}",
            "[A-Za-z]0{0,30}[01z]{0,3}",
            "[01yz]{62,64}",
            "a0{61,63}",
            "[az]z{61,63}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn between_any_two_keys_there_is_one(a in key(), b in key(), extra in "[0z]{0,3}") {
            for (low, high) in [(a.clone(), b), (a.clone(), format!("{a}{extra}"))] {
                if !is_valid(&high) || low == high {
                    continue;
                }
                let (low, high) = if low < high { (low, high) } else { (high, low) };
                match between(Some(&low), Some(&high)) {
                    Some(key) => {
                        prop_assert!(is_valid(&key), "{}", key);
                        prop_assert!(low < key && key < high, "{} < {} < {}", low, key, high);
                    }
                    None => {
                        // The very next string is the upper one, or none follows.
                        let next = successor(&low);
                        prop_assert!(next.as_ref().is_none_or(|n| *n >= high), "{} {}", low, high);
                    }
                }
            }
        }

        #[test]
        fn before_and_after_any_key(key in key()) {
            if let Some(next) = between(Some(&key), None) {
                prop_assert!(is_valid(&next) && next > key);
            } else {
                prop_assert_eq!(successor(&key), None);
            }
            if let Some(previous) = between(None, Some(&key)) {
                prop_assert!(is_valid(&previous) && previous < key);
            } else {
                // The least of all strings is "0".
                prop_assert_eq!(key.as_str(), "0");
            }
        }

        #[test]
        fn a_spread_lies_in_order(a in key(), b in key(), count in 0_usize..60) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            for bounds in [(None, None), (Some(&low), None), (None, Some(&high)), (Some(&low), Some(&high))] {
                let (low, high) = (bounds.0.map(String::as_str), bounds.1.map(String::as_str));
                let Some(keys) = spread(low, high, count) else { continue };
                prop_assert_eq!(keys.len(), count);
                prop_assert!(keys.is_sorted_by(|a, b| a < b) && keys.iter().all(|k| is_valid(k)));
                prop_assert!(keys.first().is_none_or(|k| low.is_none_or(|low| low < k.as_str())));
                prop_assert!(keys.last().is_none_or(|k| high.is_none_or(|high| k.as_str() < high)));
            }
        }
    }
}
