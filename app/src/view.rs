//! Views, all of one type. The framework makes a type of each view and the compiler a copy of its
//! code for each type: half a megabyte of script for these pages. Here a view is a value that is
//! walked: into HTML on the server, into the document in the browser. Effects and owners are
//! the framework's, and to it a whole page is a view like any other (see `docs/decisions/0006`).

use std::{borrow::Cow, hash::Hash};

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod element;
mod framework;
#[cfg(not(feature = "hydrate"))]
mod html;
mod keyed;

mod node_ref;

#[cfg(feature = "hydrate")]
pub use self::element::{Builder, Element, element};
#[cfg(not(feature = "hydrate"))]
pub use self::html::{Builder, element, escaped};
pub use self::{framework::Whole, node_ref::NodeRef};
pub use tidings_markup::view;

/// A view.
pub enum Markup {
    /// Some text.
    Text(Cow<'static, str>),
    /// HTML of one element in which nothing ever changes.
    Fixed(Cow<'static, str>),
    /// An element.
    #[cfg(feature = "hydrate")]
    Element(Box<Element>),
    /// An element, as HTML.
    #[cfg(not(feature = "hydrate"))]
    Element(html::Html),
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

/// Names of attributes with their values.
pub type Pairs = &'static [(&'static str, &'static str)];
type Get = Box<dyn FnMut() -> Value>;

/// A value that is there, or one that changes.
pub enum Given {
    /// It stays.
    Now(Value),
    /// It changes.
    Live(Get),
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
