//! Draws views: makes the nodes of the document, or takes over those that the server rendered, keeps
//! what listens and watches, and takes it away.

use std::{borrow::Cow, cell::RefCell, rc::Rc};

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Comment, Element, Node, Text};

use super::{Get, Given, Markup, Value, element::Kind};

mod cursor;
mod list;

pub(super) use cursor::Cursor;

/// What is in the document for a view, and what keeps it up to date.
#[expect(dead_code, reason = "effects and listeners are held, not read")]
pub(in crate::view) enum Shown {
    /// A text.
    Text(Text, Cow<'static, str>),
    /// A marker, where nothing is.
    Marker(Comment),
    /// An element.
    Element(Element, Box<Kept>),
    /// Several.
    Many(Vec<Self>),
    /// What changes, and what watches it.
    Live(Inside<Self>, Watch),
    /// A keyed list, and what watches it.
    Keyed(Inside<list::State>, Watch),
}

/// What an effect draws anew.
type Inside<T> = Rc<RefCell<Option<T>>>;
/// Held, so that it goes on.
type Watch = RenderEffect<()>;

/// What an element needs for as long as it is there.
#[derive(Default)]
pub(in crate::view) struct Kept {
    listeners: Vec<Closure<dyn FnMut(web_sys::Event)>>,
    effects: Vec<Watch>,
    children: Vec<Shown>,
}

/// Where a view is drawn: anew, or over what the server rendered.
type Over<'a> = Option<&'a Cursor>;

/// Runs `f` now and whenever what it reads has changed.
#[inline(never)]
fn watch(f: Box<dyn FnMut()>) -> Watch {
    let f = RefCell::new(f);
    RenderEffect::new(move |_| (f.borrow_mut())())
}

impl Markup {
    /// Draws the view. Anew, it is in no document yet.
    pub(super) fn draw(self, over: Over<'_>) -> Shown {
        match self {
            // An empty text of the server's is no node.
            Self::Text(text) if !text.is_empty() => {
                let node = match over {
                    Some(cursor) => cursor.text(),
                    None => document().create_text_node(&text),
                };
                Shown::Text(node, text)
            }
            Self::Sequence(parts) if !parts.is_empty() => {
                Shown::Many(parts.into_iter().map(|part| part.draw(over)).collect())
            }
            Self::Text(_) | Self::Sequence(_) | Self::Nothing => Shown::Marker(marker(over)),
            Self::Fixed(html) => {
                let element = match over {
                    Some(cursor) => cursor.element(),
                    None => fixed(&html),
                };
                Shown::Element(element, Box::default())
            }
            Self::Element(element) => element.draw(over),
            Self::Live(view) => live(view, over),
            Self::Keyed(items) => list::draw(items, over),
        }
    }
}

/// A marker: the server's, or a new one.
fn marker(over: Over<'_>) -> Comment {
    match over {
        Some(cursor) => cursor.marker(),
        None => document().create_comment(""),
    }
}

/// The element that some HTML is.
fn fixed(html: &str) -> Element {
    let around = create("template");
    around.set_inner_html(html);
    let around: web_sys::HtmlTemplateElement = around.unchecked_into();
    // It is there: views are written with one element each.
    let element = around.content().first_element_child();
    element.unwrap_or_else(|| around.unchecked_into())
}

fn live(mut view: Box<dyn FnMut() -> Markup>, over: Over<'_>) -> Shown {
    let cell = Inside::<Shown>::default();
    let inside = cell.clone();
    let mut over = over.cloned();
    let parent = Owner::current().unwrap_or_default();
    let mut owner = None::<Owner>;
    let effect = watch(Box::new(move || {
        let next = parent.with(Owner::new);
        let new = next.with(|| {
            let markup = view();
            let cursor = over.take();
            let old = RefCell::take(&inside);
            untrack(|| match old {
                None => markup.draw(cursor.as_ref()),
                Some(old) => old.turn_into(markup),
            })
        });
        inside.replace(Some(new));
        // Only now: what leaves the document with the focus is told so, and may look at its signals.
        if let Some(gone) = owner.replace(next) {
            gone.cleanup();
        }
    }));
    Shown::Live(cell, effect)
}

impl super::Element {
    fn draw(self, over: Over<'_>) -> Shown {
        let mut kept = Box::<Kept>::default();
        let element = match over {
            Some(cursor) => {
                let element = cursor.element();
                if self.html.is_none() && !self.children.is_empty() {
                    cursor.enter();
                    kept.children = self.children.into_iter().map(|c| c.draw(over)).collect();
                    cursor.leave(&element);
                }
                element
            }
            None => {
                let element = create(self.tag);
                for (name, value) in self.fixed {
                    let _ = element.set_attribute(name, value);
                }
                if let Some(html) = &self.html {
                    element.set_inner_html(html);
                }
                for child in self.children {
                    let child = child.draw(None);
                    child.put(&element, None);
                    kept.children.push(child);
                }
                element
            }
        };
        // Only now: what a field shows may depend on what is in it.
        for (kind, name, given) in self.given {
            match given {
                // What the server rendered says it already, but for properties.
                Given::Now(value) if over.is_none() || kind == Kind::Property => {
                    set(&element, kind, name, &value);
                }
                Given::Now(_) => {}
                Given::Live(get) => {
                    let watch = follow(&element, kind, name, get, over.is_some());
                    kept.effects.push(watch);
                }
            }
        }
        for (event, handle) in self.listeners {
            let closure = Closure::wrap(handle);
            let listener = closure.as_ref().unchecked_ref();
            let _ = element.add_event_listener_with_callback(&event, listener);
            kept.listeners.push(closure);
        }
        if let Some(found) = self.loaded {
            found.set(Some(SendWrapper::new(element.clone())));
        }
        Shown::Element(element, kept)
    }
}

fn create(tag: &str) -> Element {
    let made = document().create_element(tag);
    // It fails for what is no name, and tags are names that stand in views.
    made.unwrap_or_else(|error| error.unchecked_into())
}

fn set(element: &Element, kind: Kind, name: &str, value: &Value) {
    let _ = match (kind, value) {
        (Kind::Attribute, Value::Off) => element.remove_attribute(name),
        (Kind::Attribute, Value::On) => element.set_attribute(name, ""),
        (Kind::Attribute, Value::Text(text)) => element.set_attribute(name, text),
        (Kind::Class, value) => element
            .class_list()
            .toggle_with_force(name, *value != Value::Off)
            .map(drop),
        (Kind::Property, value) => {
            let value = match value {
                Value::Off => JsValue::FALSE,
                Value::On => JsValue::TRUE,
                Value::Text(text) => JsValue::from_str(text),
            };
            js_sys::Reflect::set(element, &JsValue::from_str(name), &value).map(drop)
        }
    };
}

/// Keeps what is set on an element as its value is. What the server rendered says it already, and
/// what was typed since then stays.
fn follow(
    element: &Element,
    kind: Kind,
    name: &'static str,
    mut get: Get,
    mut there: bool,
) -> Watch {
    let element = element.clone();
    let mut last = None;
    watch(Box::new(move || {
        let value = get();
        // A property may have been changed by the person meanwhile.
        let same = last.as_ref() == Some(&value) && kind != Kind::Property;
        if !same && !there {
            set(&element, kind, name, &value);
        }
        there = false;
        last = Some(value);
    }))
}

impl Shown {
    /// Does `f` to each of its nodes that lie beside each other, in order.
    fn each(&self, f: &mut dyn FnMut(&Node)) {
        match self {
            Self::Text(node, _) => f(node),
            Self::Marker(node) => f(node),
            Self::Element(node, _) => f(node),
            Self::Many(shown) => shown.iter().for_each(|s| s.each(f)),
            Self::Live(inside, _) => {
                if let Some(shown) = &*inside.borrow() {
                    shown.each(f);
                }
            }
            Self::Keyed(inside, _) => {
                if let Some(state) = &*inside.borrow() {
                    state.parts().for_each(|s| s.each(f));
                    f(state.end());
                }
            }
        }
    }

    /// The first node.
    fn first(&self) -> Option<Node> {
        let mut first = None;
        self.each(&mut |node| {
            if first.is_none() {
                first = Some(node.clone());
            }
        });
        first
    }

    /// Puts all nodes into `parent`, before `next`.
    fn put(&self, parent: &Node, next: Option<&Node>) {
        self.each(&mut |node| {
            let _ = parent.insert_before(node, next);
        });
    }

    /// Takes all nodes out of the document.
    fn remove(&self) {
        // Taking the focus away may tell others, who may look; so first all are found.
        let mut all = Vec::new();
        self.each(&mut |node| all.push(node.clone()));
        for node in all {
            if let Some(parent) = node.parent_node() {
                let _ = parent.remove_child(&node);
            }
        }
    }

    /// Shows another view in the same place. A text stays the same node.
    fn turn_into(mut self, markup: Markup) -> Self {
        match (&mut self, markup) {
            (Self::Text(node, old), Markup::Text(new)) if !new.is_empty() => {
                if *old != new {
                    node.set_data(&new);
                    *old = new;
                }
                self
            }
            (Self::Marker(_), Markup::Nothing) => self,
            (_, markup) => {
                let new = markup.draw(None);
                let first = self.first();
                if let Some(parent) = first.as_ref().and_then(Node::parent_node) {
                    new.put(&parent, first.as_ref());
                }
                self.remove();
                new
            }
        }
    }
}
