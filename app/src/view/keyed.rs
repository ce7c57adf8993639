//! The parts of a keyed list.

use std::hash::{Hash, Hasher};

use super::Markup;

/// A list: the keys of its parts, and what makes a part.
pub trait Parts {
    /// Reads the list anew. The keys, in order.
    fn keys(&mut self) -> Vec<u64>;
    /// The part at a place of what was last read; once.
    fn part(&mut self, at: usize) -> Markup;
}

/// A list of items.
pub(super) struct List<T, I, K, V> {
    pub(super) items: I,
    pub(super) key: K,
    pub(super) view: V,
    /// What was last read.
    pub(super) now: Vec<Option<T>>,
}

impl<T, I, K, V> Parts for List<T, I, K, V>
where
    I: FnMut() -> Vec<Option<T>>,
    K: Fn(&T) -> u64,
    V: Fn(T) -> Markup,
{
    fn keys(&mut self) -> Vec<u64> {
        self.now = (self.items)();
        self.now.iter().flatten().map(&self.key).collect()
    }

    fn part(&mut self, at: usize) -> Markup {
        let item = self.now.get_mut(at).and_then(Option::take);
        item.map_or(Markup::Nothing, &self.view)
    }
}

/// A number for a key.
pub(super) fn hash(key: &impl Hash) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    key.hash(&mut hasher);
    hasher.finish()
}

/// Fowler, Noll and Vo's hash: small, and good enough to tell keys from each other.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Which of the places rise, as many as can be: those need not be moved.
#[cfg_attr(not(any(feature = "hydrate", test)), expect(dead_code))]
pub(super) fn longest_rise(places: &[Option<usize>]) -> Vec<bool> {
    // The last of the best rise of each length, and what came before each place in its rise.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; places.len()];
    for (at, place) in places.iter().enumerate().filter(|(_, p)| p.is_some()) {
        let length = ends.partition_point(|end| places[*end] < *place);
        before[at] = length.checked_sub(1).map(|l| ends[l]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut rises = vec![false; places.len()];
    let mut at = ends.last().copied();
    while let Some(place) = at {
        rises[place] = true;
        at = before[place];
    }
    rises
}

#[cfg(test)]
mod tests {
    use super::longest_rise;

    #[test]
    fn as_few_are_moved_as_can_be() {
        let moved = |places: &[usize]| {
            let places: Vec<_> = places.iter().copied().map(Some).collect();
            longest_rise(&places)
                .iter()
                .filter(|stays| !**stays)
                .count()
        };
        assert_eq!(moved(&[0, 1, 2, 3]), 0);
        assert_eq!(moved(&[3, 0, 1, 2]), 1);
        assert_eq!(moved(&[1, 2, 3, 0]), 1);
        assert_eq!(moved(&[3, 2, 1, 0]), 3);
        assert_eq!(longest_rise(&[None, Some(0), None]), [false, true, false]);
    }
}
