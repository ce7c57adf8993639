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

/// A string between two plain strings, not ending in the least digit unless it must.
fn middle(low: &[u8], high: Option<&[u8]>) -> Option<String> {
    let value = |byte: u8| DIGITS.iter().position(|d| *d == byte);
    let mut key = Vec::new();
    let mut bounded = high;
    for at in 0..MAX {
        let floor = match low.get(at) {
            Some(byte) => value(*byte)?,
            None => 0,
        };
        let ceiling = match bounded {
            Some(high) => value(*high.get(at)?)?,
            None => DIGITS.len(),
        };
        let inside = at < low.len();
        if ceiling > floor + 1 {
            key.push(DIGITS[(floor + ceiling) / 2]);
            return String::from_utf8(key).ok();
        }
        key.push(DIGITS[floor]);
        if ceiling == floor + 1 {
            if !inside && bounded.is_some_and(|high| high.len() > at + 1) && floor > 0 {
                return String::from_utf8(key).ok();
            }
            bounded = None;
        }
    }
    None
}
