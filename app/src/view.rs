//! Views, all of one type. The framework makes a type of each view and the compiler a copy of its
//! code for each type: half a megabyte of script for these pages. Here a view is a value that is
//! walked: into HTML on the server, into the document in the browser. Effects and owners are
//! the framework's, and to it a whole page is a view like any other (see `docs/decisions/0006`).

use std::{borrow::Cow, hash::Hash};

use leptos::ev::{EventDescriptor, Targeted};
use wasm_bindgen::JsCast;

#[cfg(feature = "hydrate")]
mod browser;
mod framework;
#[cfg(not(feature = "hydrate"))]
mod html;
mod keyed;

mod node_ref;

use self::node_ref::Found;
pub use self::{framework::Whole, node_ref::NodeRef};
pub use tidings_markup::view;

/// A view.
pub enum Markup {
    /// Some text.
    Text(Cow<'static, str>),
    /// HTML of one element in which nothing ever changes.
    Fixed(Cow<'static, str>),
    /// An element.
    Element(Box<Element>),
    /// What changes.
    Live(Box<dyn FnMut() -> Self>),
    /// Several, one after the other.
    Sequence(Vec<Self>),
    /// A list of which each part keeps its place in the document while its key stays.
    Keyed(Box<dyn keyed::Parts>),
    /// Nothing.
    Nothing,
}

/// A value of an attribute, a property or a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Not there, or false.
    Off,
    /// There, without a value, or true.
    On,
    /// A text.
    Text(Cow<'static, str>),
}

/// What a value is set as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Attribute,
    Class,
    Property,
}

/// Names of attributes with their values.
pub type Pairs = &'static [(&'static str, &'static str)];
type Get = Box<dyn FnMut() -> Value>;
type Listener = Box<dyn FnMut(web_sys::Event)>;

/// A value that is there, or one that changes.
pub enum Given {
    /// It stays.
    Now(Value),
    /// It changes.
    Live(Get),
}

/// An element.
pub struct Element {
    tag: &'static str,
    fixed: Pairs,
    given: Vec<(Kind, &'static str, Given)>,
    listeners: Vec<(Cow<'static, str>, Listener)>,
    html: Option<Cow<'static, str>>,
    loaded: Option<Found>,
    children: Vec<Markup>,
}

/// An element that is being made. What happens in the browser only is dropped on the server.
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

    /// A property of the element as an object; in the browser only.
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
        if cfg!(not(feature = "hydrate")) {
            return self;
        }
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

impl Markup {
    /// A text that stays.
    #[inline(never)]
    pub fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// HTML of one element in which nothing ever changes.
    #[inline(never)]
    pub fn fixed(html: &'static str) -> Self {
        Self::Fixed(Cow::Borrowed(html))
    }
}

/// What can be a value as it is.
pub trait Plain {
    /// The value.
    fn plain(self) -> Value;
}

impl Plain for &'static str {
    fn plain(self) -> Value {
        Value::Text(Cow::Borrowed(self))
    }
}

impl Plain for String {
    fn plain(self) -> Value {
        Value::Text(Cow::Owned(self))
    }
}

impl Plain for bool {
    fn plain(self) -> Value {
        if self { Value::On } else { Value::Off }
    }
}

impl<T: Plain> Plain for Option<T> {
    fn plain(self) -> Value {
        self.map_or(Value::Off, T::plain)
    }
}

/// What can be given for a value: one, or what yields one whenever it changes.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Given;
}

macro_rules! plain {
    ($($type:ty),+) => {$(
        impl IntoValue for $type {
            fn into_value(self) -> Given {
                Given::Now(self.plain())
            }
        }
    )+};
}

plain!(
    &'static str,
    String,
    bool,
    Option<&'static str>,
    Option<String>
);

impl<T: Plain, F: FnMut() -> T + 'static> IntoValue for F {
    fn into_value(mut self) -> Given {
        if cfg!(feature = "hydrate") {
            Given::Live(Box::new(move || self().plain()))
        } else {
            Given::Now(self().plain())
        }
    }
}

/// What can be a view.
pub trait IntoMarkup {
    /// The view.
    fn into_markup(self) -> Markup;
}

impl IntoMarkup for Markup {
    fn into_markup(self) -> Markup {
        self
    }
}

impl IntoMarkup for &'static str {
    fn into_markup(self) -> Markup {
        Markup::text(self)
    }
}

impl IntoMarkup for String {
    fn into_markup(self) -> Markup {
        Markup::Text(Cow::Owned(self))
    }
}

impl IntoMarkup for () {
    fn into_markup(self) -> Markup {
        Markup::Nothing
    }
}

impl<T: IntoMarkup> IntoMarkup for Option<T> {
    fn into_markup(self) -> Markup {
        self.map_or(Markup::Nothing, T::into_markup)
    }
}

impl IntoMarkup for Vec<Markup> {
    fn into_markup(self) -> Markup {
        Markup::Sequence(self)
    }
}

impl<T: IntoMarkup, F: FnMut() -> T + 'static> IntoMarkup for F {
    fn into_markup(mut self) -> Markup {
        if cfg!(feature = "hydrate") {
            Markup::Live(Box::new(move || self().into_markup()))
        } else {
            self().into_markup()
        }
    }
}

/// A list of which each part keeps its place in the document while its key stays.
pub fn each<T: 'static, K: Hash, I: IntoIterator<Item = T>, V: IntoMarkup>(
    mut items: impl FnMut() -> I + 'static,
    key: impl Fn(&T) -> K + 'static,
    view: impl Fn(T) -> V + 'static,
) -> Markup {
    Markup::Keyed(Box::new(keyed::List {
        items: move || items().into_iter().map(Some).collect(),
        key: move |item: &T| keyed::hash(&key(item)),
        view: move |item| view(item).into_markup(),
        now: Vec::new(),
    }))
}
