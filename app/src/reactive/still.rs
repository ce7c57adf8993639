//! Nodes of a page that the server renders: values, in a list that lasts as long as the rendering.

use std::{
    any::{Any, TypeId},
    cell::RefCell,
    rc::Rc,
};

use super::Held;

thread_local! {
    /// Of the page that this thread renders now. A page is rendered in one go, and never two at once.
    static PAGE: RefCell<Page> = const { RefCell::new(Page { values: Vec::new(), contexts: Vec::new() }) };
}

struct Page {
    /// `RefCell<T>` each.
    values: Vec<Rc<dyn Any>>,
    contexts: Vec<(TypeId, Rc<dyn Any>)>,
}

/// Forgets the page, also where its rendering panics.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        PAGE.with_borrow_mut(|page| {
            page.values.clear();
            page.contexts.clear();
        });
    }
}

/// Renders a page. Its nodes and contexts live no longer.
pub fn moment<T>(render: impl FnOnce() -> T) -> T {
    let _end = End;
    render()
}

/// Gives a value to all of the page.
pub fn provide_context<T: Held>(value: T) {
    PAGE.with_borrow_mut(|page| page.contexts.push((TypeId::of::<T>(), Rc::new(value))));
}

/// The value that was given last. It panics where there is none, as the framework does.
pub fn expect_context<T: Held + Clone>() -> T {
    let found = PAGE.with_borrow(|page| {
        let mut contexts = page.contexts.iter().rev();
        let (_, value) = contexts.find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_ref::<T>().cloned()
    });
    found.unwrap_or_else(|| nothing())
}

/// Runs `f`; nobody follows anything here.
pub fn untrack<T>(f: impl FnOnce() -> T) -> T {
    f()
}

/// Effects never run on the server.
pub(super) fn begin(_: impl FnMut() + 'static) {}

/// A value of the page, by its number.
#[derive(Clone)]
pub(super) struct Node(usize);

/// Where a node is.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

/// The node in a place.
pub(super) fn node(place: Place) -> Node {
    Node(place.0)
}

/// The node in a place, which is there for as long as the page.
pub(super) fn node_if_there(place: Place) -> Option<Node> {
    Some(node(place))
}

/// A node is made with its type and its value.
#[cold]
fn nothing() -> ! {
    unreachable!("a value of another page")
}

impl Node {
    pub(super) fn set<T: Held>(value: T) -> Self {
        let value = Rc::new(RefCell::new(value));
        PAGE.with_borrow_mut(|page| {
            page.values.push(value);
            Self(page.values.len() - 1)
        })
    }

    pub(super) fn still<T: Held>(value: T) -> Self {
        Self::set(value)
    }

    pub(super) fn reckoned<T: Held>(f: impl Fn(Option<&T>) -> T) -> Self {
        Self::set(f(None))
    }

    pub(super) fn place(self) -> Place {
        Place(self.0)
    }

    pub(super) fn ready(&self, _: bool) {}

    pub(super) fn look<T: Held, U>(&self, _: bool, f: impl FnOnce(&T) -> U) -> U {
        let value = self.value();
        match value
            .as_deref()
            .and_then(<dyn Any>::downcast_ref::<RefCell<T>>)
        {
            Some(value) => f(&value.borrow()),
            None => nothing(),
        }
    }

    pub(super) fn change<T: Held>(&self, f: impl FnOnce(&mut T)) {
        let value = self.value();
        if let Some(value) = value
            .as_deref()
            .and_then(<dyn Any>::downcast_ref::<RefCell<T>>)
        {
            f(&mut value.borrow_mut());
        }
    }

    fn value(&self) -> Option<Rc<dyn Any>> {
        PAGE.with_borrow(|page| page.values.get(self.0).cloned())
    }
}
