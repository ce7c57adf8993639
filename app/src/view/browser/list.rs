//! Lists whose parts keep their place, their focus and what was typed in them while their key stays.

use std::cell::RefCell;

use leptos::prelude::*;
use web_sys::{Comment, Node};

use super::{Inside, Over, Shown, marker, watch};
use crate::view::keyed::{Items, Make, longest_rise};

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

    /// Shows `items`: what has gone is taken away, what is new is made, and of the others as few
    /// are moved as can be, since a node that is moved loses the focus.
    fn update(&mut self, items: Vec<(u64, Make)>, owner: &Owner) {
        let mut old: Vec<_> = self.parts.drain(..).map(Some).collect();
        let mut before = Vec::with_capacity(items.len());
        let mut parts = Vec::with_capacity(items.len());
        // Most stay in order: each is looked for where the one before it was found.
        let mut from = 0;
        for (key, make) in items {
            let here = |part: &Option<Part>| part.as_ref().is_some_and(|p| p.key == key);
            let at = old[from..].iter().position(here).map(|at| at + from);
            let at = at.or_else(|| old[..from].iter().position(here));
            before.push(at);
            let kept = at.and_then(|at| {
                from = at;
                old[at].take()
            });
            parts.push(kept.unwrap_or_else(|| draw_part(key, make, owner, None)));
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

fn draw_part(key: u64, make: Make, parent: &Owner, over: Over<'_>) -> Part {
    let owner = parent.with(Owner::new);
    let shown = owner.with(|| make().draw(over));
    Part { key, shown, owner }
}

/// Draws a list.
pub(super) fn draw(mut items: Items, over: Over<'_>) -> Shown {
    // Parts outlive the runs of the effect, so they belong to who draws the list.
    let owner = Owner::current().unwrap_or_default();
    let cell = Inside::<State>::default();
    let inside = cell.clone();
    let mut over = over.cloned();
    let effect = watch(Box::new(move || {
        let items = items();
        let cursor = over.take();
        let old = RefCell::take(&inside);
        let new = untrack(|| match old {
            Some(mut state) => {
                state.update(items, &owner);
                state
            }
            None => {
                let cursor = cursor.as_ref();
                let parts = items.into_iter();
                let parts = parts.map(|(key, make)| draw_part(key, make, &owner, cursor));
                let parts = parts.collect();
                let end = marker(cursor);
                State { parts, end }
            }
        });
        inside.replace(Some(new));
    }));
    Shown::Keyed(cell, effect)
}
