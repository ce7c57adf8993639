//! Nodes of the framework's graph, which sees triggers and counters alone.

use std::{
    any::Any,
    sync::{Arc, PoisonError, RwLock},
};

use leptos::{
    prelude::{ArcMemo, ArcTrigger, GetUntracked, Notify, Track, WithValue},
    reactive::{effect, owner},
};

pub use leptos::prelude::{expect_context, provide_context, untrack};

use super::Held;

/// Renders a page. Here its nodes live as long as the framework's owner.
pub fn moment<T>(render: impl FnOnce() -> T) -> T {
    render()
}

/// What tells that a value is another.
#[derive(Clone)]
enum Source {
    /// Nothing: it stays.
    Still,
    /// It is set.
    Set(ArcTrigger),
    /// It is reckoned; counts how often it has changed.
    Reckoned(ArcMemo<u32>),
}

/// A value in its lock, of any type, and what tells that it is another.
#[derive(Clone)]
pub(super) struct Node {
    source: Source,
    /// `RwLock<Option<T>>`; what is reckoned is `None` until somebody reads it.
    value: Arc<dyn Any + Send + Sync>,
}

/// Where a node lives for as long as the owner that it was made under.
pub(super) type Place = owner::StoredValue<Node>;

impl Node {
    pub(super) fn set<T: Held>(value: T) -> Self {
        Self::of(Source::Set(ArcTrigger::new()), Some(value))
    }

    /// Always holds `value`.
    pub(super) fn still<T: Held>(value: T) -> Self {
        Self::of(Source::Still, Some(value))
    }

    /// Is what `f` makes of the value before; another only where it is not equal.
    pub(super) fn reckoned<T: Held + PartialEq>(
        f: impl Fn(Option<&T>) -> T + Send + Sync + 'static,
    ) -> Self {
        let mut node = Self::of(Source::Still, None::<T>);
        let value = node.value.clone();
        node.source = Source::Reckoned(counted(Box::new(move || {
            let Some(lock) = value.downcast_ref::<RwLock<Option<T>>>() else {
                return false;
            };
            let new = {
                let before = lock.read().unwrap_or_else(PoisonError::into_inner);
                Some(f(before.as_ref()))
            };
            let mut held = lock.write().unwrap_or_else(PoisonError::into_inner);
            let changed = *held != new;
            *held = new;
            changed
        })));
        node
    }

    fn of<T: Held>(source: Source, value: Option<T>) -> Self {
        let value = Arc::new(RwLock::new(value));
        Self { source, value }
    }

    #[inline(never)]
    pub(super) fn place(self) -> Place {
        Place::new(self)
    }

    /// Brings it up to date. With `follow`, whoever runs now is told of the next value.
    #[inline(never)]
    pub(super) fn ready(&self, follow: bool) {
        match &self.source {
            Source::Set(trigger) if follow => trigger.track(),
            Source::Reckoned(count) if follow => count.track(),
            _ => {}
        }
        if let Source::Reckoned(count) = &self.source {
            count.get_untracked();
        }
    }

    #[inline(never)]
    fn notify(&self) {
        if let Source::Set(trigger) = &self.source {
            trigger.notify();
        }
    }

    pub(super) fn look<T: Held, U>(&self, follow: bool, f: impl FnOnce(&T) -> U) -> U {
        self.ready(follow);
        let lock = self.value.downcast_ref::<RwLock<Option<T>>>();
        let held = lock.map(|lock| lock.read().unwrap_or_else(PoisonError::into_inner));
        match held.as_deref() {
            Some(Some(value)) => f(value),
            _ => nothing(),
        }
    }

    pub(super) fn change<T: Held>(&self, f: impl FnOnce(&mut T)) {
        if let Some(lock) = self.value.downcast_ref::<RwLock<Option<T>>>()
            && let Some(value) = &mut *lock.write().unwrap_or_else(PoisonError::into_inner)
        {
            f(value);
        }
        self.notify();
    }
}

/// A node is made with its type and its value.
#[cold]
fn nothing() -> ! {
    unreachable!("a signal without a value")
}

/// The node in a place. It panics where its owner is gone, as the framework does.
#[inline(never)]
pub(super) fn node(place: Place) -> Node {
    place.with_value(Node::clone)
}

/// The node in a place, if its owner is still there.
#[inline(never)]
pub(super) fn node_if_there(place: Place) -> Option<Node> {
    place.try_with_value(Node::clone)
}

/// Counts how often `reckon` says that the value has changed.
#[inline(never)]
fn counted(reckon: Box<dyn Fn() -> bool + Send + Sync>) -> ArcMemo<u32> {
    ArcMemo::new(move |count: Option<&u32>| {
        count.copied().unwrap_or(0).wrapping_add(reckon().into())
    })
}

/// Begins an effect.
pub(super) fn begin(f: impl FnMut() + 'static) {
    begin_boxed(Box::new(f));
}

#[inline(never)]
fn begin_boxed(mut f: Box<dyn FnMut()>) {
    effect::Effect::new(move |_: Option<()>| f());
}
