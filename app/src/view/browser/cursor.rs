//! Takes over what the server rendered: walks it in the order in which it was written. Between two
//! texts in a row lies a marker; nothing, and the end of a list, is a marker.

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::JsCast;
use web_sys::{Comment, Element, Node, Text};

/// How the next node lies to the one that the cursor is at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Child,
    Sibling,
    SiblingOfText,
}

/// A place in the document.
#[derive(Clone)]
pub(in crate::view) struct Cursor(Rc<RefCell<(Node, Next)>>);

impl Cursor {
    /// Before the first child of a node.
    pub(in crate::view) fn inside(parent: Node) -> Self {
        Self(Rc::new(RefCell::new((parent, Next::Child))))
    }

    /// Goes to the next node.
    fn step(&self, after: Next) -> Node {
        let mut place = self.0.borrow_mut();
        let next = match place.1 {
            Next::Child => place.0.first_child(),
            Next::Sibling | Next::SiblingOfText => place.0.next_sibling(),
        };
        if let Some(next) = next {
            place.0 = next;
        }
        place.1 = after;
        place.0.clone()
    }

    /// The next node, which is a text.
    pub(super) fn text(&self) -> Text {
        if self.0.borrow().1 == Next::SiblingOfText {
            self.step(Next::Sibling);
        }
        self.step(Next::SiblingOfText).unchecked_into()
    }

    /// The next node, which is a marker.
    pub(super) fn marker(&self) -> Comment {
        self.step(Next::Sibling).unchecked_into()
    }

    /// The next node, which is an element.
    pub(super) fn element(&self) -> Element {
        self.step(Next::Sibling).unchecked_into()
    }

    /// Into the element where the cursor is.
    pub(super) fn enter(&self) {
        self.0.borrow_mut().1 = Next::Child;
    }

    /// Out of an element again.
    pub(super) fn leave(&self, element: &Element) {
        self.0.replace((element.clone().into(), Next::Sibling));
    }
}
