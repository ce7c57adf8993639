//! How many tabs of a person are open, here and elsewhere: what the pill of a tab says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tidings_domain::id::UserId;
use tokio::sync::{Notify, watch};

/// The people with tabs here. As long as nobody tells of other places, these are all there are.
#[derive(Debug, Default)]
pub struct Tabs {
    people: Mutex<HashMap<UserId, Count>>,
    changed: Notify,
}

#[derive(Debug)]
struct Count {
    here: u32,
    elsewhere: u32,
    /// Both together, for each tab here.
    total: watch::Sender<u32>,
}

impl Count {
    fn tell(&self) {
        let total = self.here.saturating_add(self.elsewhere);
        self.total
            .send_if_modified(|told| std::mem::replace(told, total) != total);
    }
}

/// A tab that is open here, until it is dropped.
pub struct Tab {
    tabs: Arc<Tabs>,
    user: UserId,
    total: watch::Receiver<u32>,
}

impl Tab {
    /// How many tabs the person has, this one among them.
    pub fn count(&mut self) -> u32 {
        *self.total.borrow_and_update()
    }

    /// Waits until they are more or fewer than [`Self::count`] last said.
    pub async fn changed(&mut self) {
        if self.total.changed().await.is_err() {
            // Told of by whoever counts this very tab: it is there as long as the tab is.
            std::future::pending().await
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let mut people = self.tabs.people();
        if let Some(count) = people.get_mut(&self.user) {
            count.here -= 1;
            if count.here == 0 {
                people.remove(&self.user);
            } else {
                count.tell();
            }
        }
        drop(people);
        self.tabs.changed.notify_one();
    }
}

impl Tabs {
    /// A tab of this person was opened here.
    pub fn open(self: &Arc<Self>, user: UserId) -> Tab {
        let mut people = self.people();
        let count = people.entry(user).or_insert_with(|| Count {
            here: 0,
            elsewhere: 0,
            total: watch::Sender::new(0),
        });
        count.here += 1;
        count.tell();
        let total = count.total.subscribe();
        drop(people);
        self.changed.notify_one();
        Tab {
            tabs: self.clone(),
            user,
            total,
        }
    }

    /// How many tabs a person has here.
    pub fn of(&self, user: UserId) -> u32 {
        self.people().get(&user).map_or(0, |count| count.here)
    }

    /// Everybody with tabs here, and how many.
    pub fn here(&self) -> HashMap<UserId, u32> {
        let people = self.people();
        people
            .iter()
            .map(|(user, count)| (*user, count.here))
            .collect()
    }

    /// A person has so many tabs in other places.
    pub fn elsewhere(&self, user: UserId, tabs: u32) {
        if let Some(count) = self.people().get_mut(&user) {
            count.elsewhere = tabs;
            count.tell();
        }
    }

    /// Nothing is known of other places.
    pub fn alone(&self) {
        for count in self.people().values_mut() {
            count.elsewhere = 0;
            count.tell();
        }
    }

    /// Waits until a tab was opened or closed here; once for all that were meanwhile.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn people(&self) -> MutexGuard<'_, HashMap<UserId, Count>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn tabs_are_told_of_one_another_and_of_other_places() {
        let tabs = Arc::new(Tabs::default());
        let [ann, bob] = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let mut one = tabs.open(ann);
        assert_eq!(one.count(), 1);
        let mut other = tabs.open(ann);
        let mut bobs = tabs.open(bob);
        assert!(one.total.has_changed().unwrap());
        assert_eq!((one.count(), other.count(), bobs.count()), (2, 2, 1));
        tabs.elsewhere(ann, 3);
        assert_eq!((one.count(), bobs.count()), (5, 1));
        tabs.elsewhere(ann, 3);
        assert!(!one.total.has_changed().unwrap(), "nothing new");
        drop(other);
        assert_eq!((one.count(), tabs.of(ann)), (4, 1));
        tabs.alone();
        assert_eq!(one.count(), 1);
        drop(one);
        assert_eq!(tabs.here(), HashMap::from([(bob, 1)]));
        tabs.elsewhere(ann, 3);
        assert_eq!(
            tabs.open(ann).count(),
            1,
            "what was known of her went with her tabs"
        );
    }
}
