//! Writes views as HTML. Between two texts in a row goes a marker, so that the browser tells them
//! apart; nothing, and the end of a keyed list, is a marker too.

use std::{borrow::Cow, cell::RefCell, ops::RangeInclusive};

use leptos::ev::{EventDescriptor, Targeted};
use wasm_bindgen::JsCast;

use super::{Given, IntoValue, Markup, NodeRef, Pairs, Value};

/// Marks a place in the document.
const MARKER: &str = "<!>";
/// Elements that have no end.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// How many texts wait to be written again, and how long they may be, in bytes: others begin too short,
/// or are too much to keep.
const SPARE: usize = 64;
const KEPT: RangeInclusive<usize> = 1024..=16 * LONG;

thread_local! {
    /// Elements are written inside out, each into a text of its own: hundreds of them a page.
    static TEXTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn take_text() -> String {
    TEXTS
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| String::with_capacity(1024))
}

fn give_back(mut text: String) {
    text.clear();
    TEXTS.with_borrow_mut(|texts| {
        if texts.len() < SPARE && KEPT.contains(&text.capacity()) {
            texts.push(text);
        }
    });
}

/// A part that is this long is kept as it is: an element that holds it is several texts, so that a
/// page is not copied again for each of the elements around its middle. In bytes.
const LONG: usize = 4096;

/// What is written of an element.
#[derive(Default)]
pub struct Html {
    before: Vec<String>,
    last: String,
}

impl Html {
    /// All of it, one text after the other.
    fn texts(self) -> impl Iterator<Item = String> {
        self.before.into_iter().chain([self.last])
    }

    /// Takes what is written of a part.
    fn take(&mut self, part: Html) {
        if part.before.is_empty() && part.last.len() < LONG {
            self.last.push_str(&part.last);
            give_back(part.last);
        } else {
            self.before
                .push(std::mem::replace(&mut self.last, take_text()));
            self.before.extend(part.texts());
        }
    }

    /// Puts it at the end of `out`.
    pub(crate) fn put(self, out: &mut String) {
        let length: usize = self.before.iter().map(String::len).sum();
        out.reserve(length + self.last.len());
        for text in self.texts() {
            out.push_str(&text);
            give_back(text);
        }
    }
}

/// An element that is being written. What happens in the browser only is dropped.
pub struct Builder {
    tag: &'static str,
    html: Html,
    classes: Cow<'static, str>,
    /// Whether the start tag is written.
    begun: bool,
    after_text: bool,
}

/// An element with attributes that stay.
pub fn element(tag: &'static str, fixed: Pairs) -> Builder {
    let mut html = take_text();
    html.push('<');
    html.push_str(tag);
    let mut classes = "";
    for (name, value) in fixed {
        match *name {
            "class" => classes = value,
            name => attribute(name, value, &mut html),
        }
    }
    Builder {
        tag,
        html: Html {
            before: Vec::new(),
            last: html,
        },
        classes: Cow::Borrowed(classes),
        begun: false,
        after_text: false,
    }
}

impl Builder {
    /// An attribute.
    pub fn set(mut self, name: &'static str, value: impl IntoValue) -> Self {
        match now(value.into_value()) {
            Value::Off => {}
            Value::On => attribute(name, "", &mut self.html.last),
            Value::Text(text) if name == "class" && self.classes.is_empty() => self.classes = text,
            Value::Text(text) if name == "class" => self.classes.to_mut().push_str(&text),
            Value::Text(text) => attribute(name, &text, &mut self.html.last),
        }
        self
    }

    /// A class that comes and goes.
    pub fn class(mut self, name: &'static str, value: impl IntoValue) -> Self {
        if now(value.into_value()) != Value::Off {
            let classes = self.classes.to_mut();
            classes.push(' ');
            classes.push_str(name);
        }
        self
    }

    /// A property of the element as an object; in the browser only.
    pub fn prop(self, _: &'static str, _: impl IntoValue) -> Self {
        self
    }

    /// What happens on an event; in the browser only.
    pub fn on<E: EventDescriptor>(self, _: E, _: impl FnMut(E::EventType) + 'static) -> Self {
        self
    }

    /// What happens on an event, told with the element that it happens to; in the browser only.
    pub fn on_target<E: EventDescriptor, T>(
        self,
        _: E,
        _: impl FnMut(Targeted<E::EventType, T>) + 'static,
    ) -> Self {
        self
    }

    /// HTML that is put in as it is.
    pub fn html(mut self, html: impl Into<Cow<'static, str>>) -> Self {
        self.begin();
        match html.into() {
            Cow::Borrowed(html) => self.html.last.push_str(html),
            Cow::Owned(last) => self.html.take(Html {
                before: Vec::new(),
                last,
            }),
        }
        self
    }

    /// Where the element is found once it is there; in the browser only.
    pub fn node_ref<T: JsCast>(self, _: NodeRef<T>) -> Self {
        self
    }

    /// The next child.
    pub fn child(mut self, child: Markup) -> Self {
        self.begin();
        write(child, &mut self.html, &mut self.after_text);
        self
    }

    /// The view of it.
    pub fn markup(mut self) -> Markup {
        self.begin();
        if !VOID.contains(&self.tag) {
            self.html.last.push_str("</");
            self.html.last.push_str(self.tag);
            self.html.last.push('>');
        }
        Markup::Element(self.html)
    }

    /// Ends the start tag.
    fn begin(&mut self) {
        if !self.begun {
            if !self.classes.is_empty() {
                attribute("class", &self.classes, &mut self.html.last);
            }
            self.html.last.push('>');
            self.begun = true;
        }
    }
}

/// What is given, at this moment.
fn now(given: Given) -> Value {
    match given {
        Given::Now(value) => value,
        Given::Live(mut get) => get(),
    }
}

/// A view as HTML.
pub(super) fn written(markup: Markup) -> Html {
    let mut out = Html::default();
    write(markup, &mut out, &mut false);
    out
}

/// Writes a view after what is in `out`. `after_text` tells whether that ends in a text of a view.
fn write(markup: Markup, out: &mut Html, after_text: &mut bool) {
    match markup {
        // An empty text would be no node.
        Markup::Text(text) if !text.is_empty() => {
            if *after_text {
                out.last.push_str(MARKER);
            }
            escape(&text, &mut out.last);
            *after_text = true;
            return;
        }
        Markup::Sequence(parts) if !parts.is_empty() => {
            for part in parts {
                write(part, out, after_text);
            }
            return;
        }
        Markup::Live(mut view) => return write(view(), out, after_text),
        Markup::Keyed(mut parts) => {
            for at in 0..parts.keys().len() {
                write(parts.part(at), out, after_text);
            }
            out.last.push_str(MARKER);
        }
        Markup::Fixed(html) => out.last.push_str(&html),
        Markup::Element(html) => out.take(html),
        Markup::Text(_) | Markup::Sequence(_) | Markup::Nothing => out.last.push_str(MARKER),
    }
    *after_text = false;
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

/// A text as HTML.
pub fn escaped(text: &str) -> String {
    let mut out = String::new();
    escape(text, &mut out);
    out
}

/// Good for texts and for values in double quotes.
fn escape(text: &str, out: &mut String) {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escaped = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        out.push_str(&text[written..at]);
        out.push_str(escaped);
        written = at + 1;
    }
    out.push_str(&text[written..]);
}
