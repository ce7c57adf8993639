//! Writes views as HTML. Between two texts in a row goes a marker, so that the browser tells them
//! apart; nothing, and the end of a keyed list, is a marker too.

use super::{Element, Given, Kind, Markup, Value};

/// Marks a place in the document.
const MARKER: &str = "<!>";
/// Elements that have no end.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

/// A view as HTML.
pub(super) fn written(markup: Markup) -> String {
    let mut out = String::with_capacity(32 * 1024);
    write(markup, &mut out, &mut false);
    out
}

/// Writes a view after what is in `out`. `after_text` tells whether that ends in a text of a view.
fn write(markup: Markup, out: &mut String, after_text: &mut bool) {
    match markup {
        // An empty text would be no node.
        Markup::Text(text) if !text.is_empty() => {
            if *after_text {
                out.push_str(MARKER);
            }
            escape(&text, out);
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
            out.push_str(MARKER);
        }
        Markup::Fixed(html) => out.push_str(&html),
        Markup::Element(element) => tag(*element, out),
        Markup::Text(_) | Markup::Sequence(_) | Markup::Nothing => out.push_str(MARKER),
    }
    *after_text = false;
}

fn tag(element: Element, out: &mut String) {
    out.push('<');
    out.push_str(element.tag);
    let mut classes = String::new();
    for (name, value) in element.fixed {
        if *name == "class" {
            classes.push_str(value);
        } else {
            attribute(name, value, out);
        }
    }
    for (kind, name, given) in element.given {
        let value = match given {
            Given::Now(value) => value,
            Given::Live(mut get) => get(),
        };
        match (kind, value) {
            (_, Value::Off) | (Kind::Property, _) => {}
            (Kind::Class, _) => {
                classes.push(' ');
                classes.push_str(name);
            }
            (Kind::Attribute, Value::On) => attribute(name, "", out),
            (Kind::Attribute, Value::Text(text)) if name == "class" => classes.push_str(&text),
            (Kind::Attribute, Value::Text(text)) => attribute(name, &text, out),
        }
    }
    if !classes.is_empty() {
        attribute("class", &classes, out);
    }
    out.push('>');
    if VOID.contains(&element.tag) {
        return;
    }
    if let Some(html) = &element.html {
        out.push_str(html);
    }
    let mut after_text = false;
    for child in element.children {
        write(child, out, &mut after_text);
    }
    out.push_str("</");
    out.push_str(element.tag);
    out.push('>');
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    escape(value, out);
    out.push('"');
}

/// Good for texts and for values in double quotes.
fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}
