//! Where the element of a view is found.

use std::marker::PhantomData;

use send_wrapper::SendWrapper;
use wasm_bindgen::JsCast;
use web_sys::Element;

use crate::reactive::RwSignal;

/// The element, once it is there.
pub(super) type Found = RwSignal<Option<SendWrapper<Element>>>;

/// Where the element of a view is found once it is in the document, as a `T`. Never on the server.
pub struct NodeRef<T>(Found, PhantomData<fn() -> T>);

impl<T> Clone for NodeRef<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for NodeRef<T> {}

impl<T: JsCast> NodeRef<T> {
    /// Of no element yet.
    pub fn new() -> Self {
        Self(RwSignal::new(None), PhantomData)
    }

    /// The element; whoever asks is told when it comes.
    pub fn get(self) -> Option<T> {
        self.0.get().map(|found| found.take().unchecked_into())
    }

    /// The element, if it still is in the document.
    pub fn get_untracked(self) -> Option<T> {
        let found = self.0.get_untracked()?.take();
        found.is_connected().then(|| found.unchecked_into())
    }

    #[cfg(feature = "hydrate")]
    pub(super) fn place(self) -> Found {
        self.0
    }
}

impl<T: JsCast> Default for NodeRef<T> {
    fn default() -> Self {
        Self::new()
    }
}
