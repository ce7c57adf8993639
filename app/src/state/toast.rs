//! What is shown to the person for a moment: what was done, with a way back, and what failed.

use std::sync::Arc;

use crate::browser::timer::later;
use crate::prelude::*;

/// How long a toast stays that can be acted on, in milliseconds: as long as undo does.
pub const STAYS_MS: i32 = 10_000;
/// Toasts at one time.
const MOST: usize = 4;

/// What sort of news it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToastKind {
    /// Something was done.
    Plain,
    /// Something failed. Stays until it is dismissed.
    Bad,
}

/// What a toast offers to do.
#[derive(Clone)]
pub struct ToastAction {
    /// The button's words.
    pub label: String,
    /// What it does; the toast goes by itself.
    pub run: Arc<dyn Fn() + Send + Sync>,
}

/// A toast.
#[derive(Clone)]
pub struct Toast {
    /// Tells it from others; for `key`.
    pub id: u32,
    /// What sort of news it is.
    pub kind: ToastKind,
    /// One or two sentences.
    pub words: String,
    /// What it offers to do.
    pub action: Option<ToastAction>,
}

/// The toasts that are shown, oldest first.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

impl Toasts {
    pub(super) fn new() -> Self {
        Self {
            list: RwSignal::new(Vec::new()),
            next: StoredValue::new(1),
        }
    }

    /// The toasts that are shown, oldest first.
    pub fn list(self) -> Signal<Vec<Toast>> {
        self.list.into()
    }

    /// Says that something was done.
    pub fn plain(self, words: impl Into<String>) -> u32 {
        self.push(ToastKind::Plain, words.into(), None)
    }

    /// Says that something failed, and what to do.
    pub fn bad(self, words: impl Into<String>) -> u32 {
        self.push(ToastKind::Bad, words.into(), None)
    }

    /// Shows a toast and returns its id. A plain one goes by itself.
    pub fn push(self, kind: ToastKind, words: String, action: Option<ToastAction>) -> u32 {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| {
            list.push(Toast {
                id,
                kind,
                words,
                action,
            });
            if list.len() > MOST {
                list.remove(0);
            }
        });
        if kind == ToastKind::Plain && cfg!(feature = "hydrate") {
            later(STAYS_MS.into(), move || self.dismiss(id));
        }
        id
    }

    /// Takes a toast away.
    pub fn dismiss(self, id: u32) {
        if self
            .list
            .with_untracked(|list| list.iter().any(|t| t.id == id))
        {
            self.list.update(|list| list.retain(|t| t.id != id));
        }
    }
}
