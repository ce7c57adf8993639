//! How long to wait before trying again.

/// The first wait is at most this long, in milliseconds.
const FIRST_MS: i64 = 500;
/// No wait is longer, in milliseconds.
const MOST_MS: i64 = 15_000;

/// Full jitter: anything from nothing to a bound that doubles with each try, in milliseconds.
/// `random` is at least 0 and under 1, `tries` is 0 after the first failure.
pub fn wait_ms(tries: u32, random: f64) -> i64 {
    let bound = FIRST_MS.saturating_mul(1 << tries.min(10)).min(MOST_MS);
    (bound as f64 * random) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_up_to_its_limit_and_jitter_is_full() {
        let bounds: Vec<_> = (0..8).map(|tries| wait_ms(tries, 0.999_999)).collect();
        assert_eq!(bounds, [499, 999, 1999, 3999, 7999, 14_999, 14_999, 14_999]);
        assert_eq!(wait_ms(3, 0.0), 0);
        assert_eq!(wait_ms(u32::MAX, 0.5), 7500);
    }
}
