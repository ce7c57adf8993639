//! Sorting. Each type and closure that std's sort is used with is another copy of it in the
//! browser's build, and a large one. So all go through one that is small.

use std::cmp::Ordering;

/// Sorts by how `compare` ranks two items; equal ones keep their order.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let order = sorted(items.len(), &|a, b| compare(&items[a], &items[b]));
    arrange(order, &mut |a, b| items.swap(a, b));
}

/// The order that `len` items go in, by their indices: runs are merged, each time twice as long.
fn sorted(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut run = 1;
    while run < len {
        let mut merged = Vec::with_capacity(len);
        for pair in order.chunks(2 * run) {
            let (mut left, mut right) = pair.split_at(run.min(pair.len()));
            // What is in order already costs one look.
            let mixed = match (left.last(), right.first()) {
                (Some(last), Some(first)) => compare(*first, *last).is_lt(),
                _ => false,
            };
            while let (true, [a, lefts @ ..], [b, rights @ ..]) = (mixed, left, right) {
                if compare(*b, *a).is_lt() {
                    merged.push(*b);
                    right = rights;
                } else {
                    merged.push(*a);
                    left = lefts;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        order = merged;
        run *= 2;
    }
    order
}

/// Brings items into an order, round by round of those that change places.
fn arrange(mut order: Vec<usize>, swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..order.len() {
        let mut at = start;
        while order[at] != start {
            let from = std::mem::replace(&mut order[at], at);
            swap(at, from);
            at = from;
        }
        order[at] = at;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn as_std_sorts(numbers in prop::collection::vec(0..50_u8, 0..200)) {
            let mut items: Vec<_> = numbers.into_iter().enumerate().collect();
            let mut expected = items.clone();
            expected.sort_by_key(|(_, number)| *number);
            sort_by(&mut items, |(_, a), (_, b)| a.cmp(b));
            prop_assert_eq!(items, expected);
        }
    }
}
