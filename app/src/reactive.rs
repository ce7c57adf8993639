//! Signals, memos, effects and stored values, of the framework's names and ways. The framework's own
//! are compiled anew for each type that they hold; these hold any type in one kind of node, and the
//! framework's graph below sees triggers and counters alone (see `docs/decisions/0006`).

use std::{
    any::Any,
    marker::PhantomData,
    ops::Deref,
    sync::{Arc, PoisonError, RwLock},
};

use leptos::{
    prelude::{ArcMemo, ArcTrigger, GetUntracked, Notify, Track, WithValue},
    reactive::{effect, owner},
};

/// Whether anything can change: a page that the server renders is of one moment, so there signals
/// are values and nobody is told of anything.
const LIVE: bool = cfg!(any(feature = "hydrate", test));

/// What can be held.
pub trait Held: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Held for T {}

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
struct Node {
    source: Source,
    /// `RwLock<Option<T>>`; what is reckoned is `None` until somebody reads it.
    value: Arc<dyn Any + Send + Sync>,
}

/// Where a node lives for as long as the owner that it was made under.
type Place = owner::StoredValue<Node>;

impl Node {
    fn set<T: Held>(value: T) -> Self {
        let source = match LIVE {
            true => Source::Set(ArcTrigger::new()),
            false => Source::Still,
        };
        Self::of(source, Some(value))
    }

    fn of<T: Held>(source: Source, value: Option<T>) -> Self {
        let value = Arc::new(RwLock::new(value));
        Self { source, value }
    }

    #[inline(never)]
    fn place(self) -> Place {
        Place::new(self)
    }

    /// Brings it up to date. With `follow`, whoever runs now is told of the next value.
    #[inline(never)]
    fn ready(&self, follow: bool) {
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

    fn look<T: Held, U>(&self, follow: bool, f: impl FnOnce(&T) -> U) -> U {
        self.ready(follow);
        let lock = self.value.downcast_ref::<RwLock<Option<T>>>();
        let held = lock.map(|lock| lock.read().unwrap_or_else(PoisonError::into_inner));
        match held.as_deref() {
            Some(Some(value)) => f(value),
            _ => nothing(),
        }
    }

    fn change<T: Held>(&self, f: impl FnOnce(&mut T)) {
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
fn node(place: Place) -> Node {
    place.with_value(Node::clone)
}

/// The node in a place, if its owner is still there.
#[inline(never)]
fn node_if_there(place: Place) -> Option<Node> {
    place.try_with_value(Node::clone)
}

/// Counts how often `reckon` says that the value has changed.
#[inline(never)]
fn reckoned(reckon: Box<dyn Fn() -> bool + Send + Sync>) -> ArcMemo<u32> {
    ArcMemo::new(move |count: Option<&u32>| {
        count.copied().unwrap_or(0).wrapping_add(reckon().into())
    })
}

/// Runs `f` after the page is there, and again whenever what it read has changed. On the server it
/// never runs.
pub struct Effect;

impl Effect {
    /// Begins it; it ends with the current owner.
    pub fn new(f: impl FnMut() + 'static) -> Self {
        Self::begin(Box::new(f))
    }

    #[inline(never)]
    fn begin(mut f: Box<dyn FnMut()>) -> Self {
        if LIVE {
            effect::Effect::new(move |_: Option<()>| f());
        }
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
        Self(Node::of(Source::Still, Some(value)).place(), PhantomData)
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
        if !LIVE {
            return Self::stored(f(None));
        }
        let mut node = Node::of(Source::Still, None::<T>);
        let value = node.value.clone();
        node.source = Source::Reckoned(reckoned(Box::new(move || {
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
        Self(node.place(), PhantomData)
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
