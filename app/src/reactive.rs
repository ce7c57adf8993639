//! Signals, memos, effects and stored values, of the framework's names and ways. The framework's own
//! are compiled anew for each type that they hold; these hold any type in one kind of node (see
//! `docs/decisions/0006`). In the browser nodes belong to the framework's graph; on the server a page
//! is of one moment, and they are values that nobody follows.

use std::{marker::PhantomData, ops::Deref};

#[cfg(any(feature = "hydrate", test))]
mod graph;
#[cfg(not(any(feature = "hydrate", test)))]
mod still;

#[cfg(any(feature = "hydrate", test))]
use self::graph::{Node, Place, begin, node, node_if_there};
#[cfg(any(feature = "hydrate", test))]
pub use self::graph::{expect_context, moment, provide_context, untrack};
#[cfg(not(any(feature = "hydrate", test)))]
use self::still::{Node, Place, begin, node, node_if_there};
#[cfg(not(any(feature = "hydrate", test)))]
pub use self::still::{expect_context, moment, provide_context, untrack};

/// What can be held.
pub trait Held: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Held for T {}

/// Runs `f` after the page is there, and again whenever what it read has changed. On the server it
/// never runs.
pub struct Effect;

impl Effect {
    /// Begins it; it ends with the current owner.
    pub fn new(f: impl FnMut() + 'static) -> Self {
        begin(f);
        Self
    }
}

/// A signal that belongs to whoever holds it, not to an owner.
pub struct ArcRwSignal<T>(Node, PhantomData<fn() -> T>);

/// A value that can be read and followed.
pub struct Signal<T>(Place, PhantomData<fn() -> T>);

/// A value that can be read, followed and set.
pub struct RwSignal<T>(Signal<T>);

/// A value that is kept and not followed.
pub struct StoredValue<T>(Signal<T>);

/// A value that is reckoned anew when what it was reckoned from has changed.
pub type Memo<T> = Signal<T>;
/// A signal of somebody else's.
pub type ReadSignal<T> = Signal<T>;

macro_rules! copies {
    ($($name:ident),+) => {$(
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}
    )+};
}

copies!(Signal, RwSignal, StoredValue);

impl<T> Clone for ArcRwSignal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<T: Held> ArcRwSignal<T> {
    /// Holds `value` to begin with.
    pub fn new(value: T) -> Self {
        Self(Node::set(value), PhantomData)
    }

    /// Sets it, and tells those who follow it.
    pub fn set(&self, value: T) {
        self.0.change(|held| *held = value);
    }

    /// What reads it, for as long as the current owner lives.
    pub fn read_only(&self) -> ReadSignal<T> {
        Signal(self.0.clone().place(), PhantomData)
    }
}

impl<T: Held> Signal<T> {
    /// Always holds `value`.
    pub fn stored(value: T) -> Self {
        Self(Node::still(value).place(), PhantomData)
    }

    /// Runs `f` with the value, and follows it.
    pub fn with<U>(self, f: impl FnOnce(&T) -> U) -> U {
        node(self.0).look(true, f)
    }

    /// Runs `f` with the value.
    pub fn with_untracked<U>(self, f: impl FnOnce(&T) -> U) -> U {
        node(self.0).look(false, f)
    }

    /// Runs `f` with the value, if its owner is still there.
    pub fn try_with_untracked<U>(self, f: impl FnOnce(&T) -> U) -> Option<U> {
        node_if_there(self.0).map(|node| node.look(false, f))
    }

    /// Follows it.
    pub fn track(self) {
        node(self.0).ready(true);
    }
}

impl<T: Held + Clone> Signal<T> {
    /// The value, which is followed.
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    /// The value.
    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

impl<T: Held + PartialEq> Memo<T> {
    /// Is what `f` makes of the value before, if there is one. Those who follow it are told only
    /// where that is another.
    pub fn new(f: impl Fn(Option<&T>) -> T + Send + Sync + 'static) -> Self {
        Self(Node::reckoned(f).place(), PhantomData)
    }
}

impl<T: Held> RwSignal<T> {
    /// Holds `value` to begin with.
    pub fn new(value: T) -> Self {
        Self(Signal(Node::set(value).place(), PhantomData))
    }

    /// Changes the value, and tells those who follow it.
    pub fn update(self, f: impl FnOnce(&mut T)) {
        if let Some(node) = node_if_there(self.0.0) {
            node.change(f);
        }
    }

    /// Sets the value, and tells those who follow it.
    pub fn set(self, value: T) {
        self.update(|held| *held = value);
    }
}

/// It is read as any signal is.
impl<T> Deref for RwSignal<T> {
    type Target = Signal<T>;

    fn deref(&self) -> &Signal<T> {
        &self.0
    }
}

impl<T> From<RwSignal<T>> for Signal<T> {
    fn from(signal: RwSignal<T>) -> Self {
        signal.0
    }
}

impl<T: Held> StoredValue<T> {
    /// Keeps `value`.
    pub fn new(value: T) -> Self {
        Self(Signal::stored(value))
    }

    /// Runs `f` with the value.
    pub fn with_value<U>(self, f: impl FnOnce(&T) -> U) -> U {
        self.0.with_untracked(f)
    }

    /// Changes the value.
    pub fn update_value(self, f: impl FnOnce(&mut T)) {
        if let Some(node) = node_if_there(self.0.0) {
            node.change(f);
        }
    }

    /// Sets the value.
    pub fn set_value(self, value: T) {
        self.update_value(|held| *held = value);
    }
}

impl<T: Held + Clone> StoredValue<T> {
    /// The value.
    pub fn get_value(self) -> T {
        self.with_value(T::clone)
    }

    /// The value, if its owner is still there.
    pub fn try_get_value(self) -> Option<T> {
        self.0.try_with_untracked(T::clone)
    }
}
