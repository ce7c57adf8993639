//! Lists whose parts keep their place, their focus and what was typed in them while their key stays.

use std::cell::RefCell;

use leptos::prelude::*;
use web_sys::{Comment, Node};

use super::{Inside, Over, Shown, marker, watch};
use crate::view::keyed::{Parts, longest_rise};

/// A part, and who owns what lives in it.
struct Part {
    key: u64,
    shown: Shown,
    owner: Owner,
}

/// What is in the document for a list.
pub(in crate::view) struct State {
    parts: Vec<Part>,
    end: Comment,
}

impl State {
    /// The parts, in order.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Shown> {
        self.parts.iter().map(|part| &part.shown)
    }

    /// The marker at the end.
    pub(super) fn end(&self) -> &Node {
        &self.end
    }

    /// Shows the parts with these keys: what has gone is taken away, what is new is made, and of the
    /// others as few are moved as can be, since a node that is moved loses the focus.
    fn update(&mut self, keys: Vec<u64>, list: &mut dyn Parts, owner: &Owner) {
        let mut old: Vec<_> = self.parts.drain(..).map(Some).collect();
        let mut before = Vec::with_capacity(keys.len());
        let mut parts = Vec::with_capacity(keys.len());
        // Most stay in order: each is looked for where the one before it was found.
        let mut from = 0;
        for (place, key) in keys.into_iter().enumerate() {
            let here = |part: &Option<Part>| part.as_ref().is_some_and(|p| p.key == key);
            let at = old[from..].iter().position(here).map(|at| at + from);
            let at = at.or_else(|| old[..from].iter().position(here));
            before.push(at);
            let kept = at.and_then(|at| {
                from = at;
                old[at].take()
            });
            parts.push(kept.unwrap_or_else(|| Part::draw(key, list, place, owner, None)));
        }
        for gone in old.into_iter().flatten() {
            gone.shown.remove();
            drop(gone.shown);
            gone.owner.cleanup();
        }
        if let Some(parent) = self.end.parent_node() {
            let stays = longest_rise(&before);
            let mut next: Node = self.end.clone().into();
            for (part, stays) in parts.iter().zip(stays).rev() {
                if !stays {
                    part.shown.put(&parent, Some(&next));
                }
                next = part.shown.first().unwrap_or(next);
            }
        }
        self.parts = parts;
    }
}

impl Part {
    /// Draws the part that `list` has at a place.
    fn draw(key: u64, list: &mut dyn Parts, place: usize, parent: &Owner, over: Over<'_>) -> Self {
        let owner = parent.with(Owner::new);
        let shown = owner.with(|| list.part(place).draw(over));
        Self { key, shown, owner }
    }
}

/// Draws a list.
pub(super) fn draw(mut list: Box<dyn Parts>, over: Over<'_>) -> Shown {
    // Parts outlive the runs of the effect, so they belong to who draws the list.
    let owner = Owner::current().unwrap_or_default();
    let cell = Inside::<State>::default();
    let inside = cell.clone();
    let mut over = over.cloned();
    let effect = watch(Box::new(move || {
        let keys = list.keys();
        let cursor = over.take();
        let old = RefCell::take(&inside);
        let new = untrack(|| {
            if let Some(mut state) = old {
                state.update(keys, &mut *list, &owner);
                return state;
            }
            let cursor = cursor.as_ref();
            let mut parts = Vec::with_capacity(keys.len());
            for (place, key) in keys.into_iter().enumerate() {
                parts.push(Part::draw(key, &mut *list, place, &owner, cursor));
            }
            let end = marker(cursor);
            State { parts, end }
        });
        inside.replace(Some(new));
    }));
    Shown::Keyed(cell, effect)
}
