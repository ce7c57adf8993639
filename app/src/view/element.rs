//! An element as the browser draws it.

use std::borrow::Cow;

use leptos::ev::{EventDescriptor, Targeted};
use wasm_bindgen::JsCast;

use super::{Given, IntoValue, Markup, NodeRef, Pairs, node_ref::Found};

type Listener = Box<dyn FnMut(web_sys::Event)>;

/// What a value is set as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Attribute,
    Class,
    Property,
}

/// An element.
pub struct Element {
    pub(super) tag: &'static str,
    pub(super) fixed: Pairs,
    pub(super) given: Vec<(Kind, &'static str, Given)>,
    pub(super) listeners: Vec<(Cow<'static, str>, Listener)>,
    pub(super) html: Option<Cow<'static, str>>,
    pub(super) loaded: Option<Found>,
    pub(super) children: Vec<Markup>,
}

/// An element that is being made.
pub struct Builder(Box<Element>);

/// An element with attributes that stay.
#[inline(never)]
pub fn element(tag: &'static str, fixed: Pairs) -> Builder {
    Builder(Box::new(Element {
        tag,
        fixed,
        given: Vec::new(),
        listeners: Vec::new(),
        html: None,
        loaded: None,
        children: Vec::new(),
    }))
}

impl Builder {
    /// An attribute.
    pub fn set(self, name: &'static str, value: impl IntoValue) -> Self {
        self.put(Kind::Attribute, name, value.into_value())
    }

    /// A class that comes and goes.
    pub fn class(self, name: &'static str, value: impl IntoValue) -> Self {
        self.put(Kind::Class, name, value.into_value())
    }

    /// A property of the element as an object.
    pub fn prop(self, name: &'static str, value: impl IntoValue) -> Self {
        self.put(Kind::Property, name, value.into_value())
    }

    #[inline(never)]
    fn put(mut self, kind: Kind, name: &'static str, value: Given) -> Self {
        self.0.given.push((kind, name, value));
        self
    }

    /// What happens on an event.
    pub fn on<E: EventDescriptor>(
        self,
        event: E,
        mut handle: impl FnMut(E::EventType) + 'static,
    ) -> Self
    where
        E::EventType: JsCast,
    {
        let handle = Box::new(move |event: web_sys::Event| handle(event.unchecked_into()));
        self.listen(event.name(), handle)
    }

    /// What happens on an event, told with the element that it happens to.
    pub fn on_target<E: EventDescriptor, T>(
        self,
        event: E,
        mut handle: impl FnMut(Targeted<E::EventType, T>) + 'static,
    ) -> Self
    where
        E::EventType: JsCast,
    {
        self.on(event, move |event| handle(Targeted::from(event)))
    }

    #[inline(never)]
    fn listen(mut self, event: Cow<'static, str>, handle: Listener) -> Self {
        self.0.listeners.push((event, handle));
        self
    }

    /// HTML that is put in as it is.
    pub fn html(mut self, html: impl Into<Cow<'static, str>>) -> Self {
        self.0.html = Some(html.into());
        self
    }

    /// Where the element is found once it is there.
    pub fn node_ref<T: JsCast>(mut self, node: NodeRef<T>) -> Self {
        self.0.loaded = Some(node.place());
        self
    }

    /// The next child.
    #[inline(never)]
    pub fn child(mut self, child: Markup) -> Self {
        self.0.children.push(child);
        self
    }

    /// The view of it.
    #[inline(never)]
    pub fn markup(self) -> Markup {
        Markup::Element(self.0)
    }
}
