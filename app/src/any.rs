//! Views of any type. On the server it is the framework's own. In the browser that one brings with
//! each type what is never used here, above all hydration in steps, for a fifth of the script's
//! size; this one brings what is used.

#[cfg(not(feature = "hydrate"))]
pub use leptos::prelude::{AnyView, IntoAny};

#[cfg(feature = "hydrate")]
pub use browser::{AnyView, IntoAny};

#[cfg(feature = "hydrate")]
mod browser {
    use std::any::{Any, TypeId};

    use leptos::{
        attr::{Attribute, any_attribute::AnyAttribute},
        prelude::{AddAnyAttr, Mountable, Render, RenderHtml},
        tachys::{
            hydration::Cursor,
            renderer::{
                Rndr,
                types::{Element, Node, Placeholder},
            },
            view::{Position, PositionState},
        },
    };

    /// A view of any type.
    pub struct AnyView(Box<dyn View>);

    /// Makes it of a view.
    pub trait IntoAny: RenderHtml + Sized + 'static {
        /// The same view, as one of any type.
        fn into_any(self) -> AnyView {
            AnyView(Box::new(self))
        }
    }

    impl<T: RenderHtml + 'static> IntoAny for T {}

    /// A view in its box.
    trait View: Send {
        fn kind(&self) -> TypeId;
        fn build(self: Box<Self>) -> Shown;
        fn rebuild(self: Box<Self>, state: &mut dyn State);
        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown;
    }

    impl<T: RenderHtml + 'static> View for T {
        fn kind(&self) -> TypeId {
            TypeId::of::<T>()
        }

        fn build(self: Box<Self>) -> Shown {
            Shown {
                kind: TypeId::of::<T>(),
                state: Box::new(Render::build(*self)),
                placeholder: (!T::EXISTS).then(Rndr::create_placeholder),
            }
        }

        fn rebuild(self: Box<Self>, state: &mut dyn State) {
            if let Some(state) = state.as_any().downcast_mut::<T::State>() {
                Render::rebuild(*self, state);
            }
        }

        fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
            Shown {
                kind: TypeId::of::<T>(),
                state: Box::new(RenderHtml::hydrate::<true>(*self, cursor, position)),
                placeholder: (!T::EXISTS).then(|| cursor.next_placeholder(position)),
            }
        }
    }

    /// What a view left in the document.
    trait State {
        fn as_any(&mut self) -> &mut dyn Any;
        fn leave(&mut self);
        fn enter(&mut self, parent: &Element, marker: Option<&Node>);
        fn put_before(&self, child: &mut dyn Mountable) -> bool;
    }

    impl<T: Mountable + 'static> State for T {
        fn as_any(&mut self) -> &mut dyn Any {
            self
        }

        fn leave(&mut self) {
            Mountable::unmount(self);
        }

        fn enter(&mut self, parent: &Element, marker: Option<&Node>) {
            Mountable::mount(self, parent, marker);
        }

        fn put_before(&self, child: &mut dyn Mountable) -> bool {
            Mountable::insert_before_this(self, child)
        }
    }

    /// What a view of any type left in the document.
    pub struct Shown {
        kind: TypeId,
        state: Box<dyn State>,
        /// Marks the place of a view that leaves nothing.
        placeholder: Option<Placeholder>,
    }

    impl Render for AnyView {
        type State = Shown;

        fn build(self) -> Shown {
            self.0.build()
        }

        fn rebuild(self, state: &mut Shown) {
            if self.0.kind() == state.kind {
                self.0.rebuild(&mut *state.state);
            } else {
                let mut new = self.0.build();
                state.insert_before_this(&mut new);
                state.unmount();
                *state = new;
            }
        }
    }

    impl Mountable for Shown {
        fn unmount(&mut self) {
            self.state.leave();
            self.placeholder.unmount();
        }

        fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
            self.state.enter(parent, marker);
            self.placeholder.mount(parent, marker);
        }

        fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
            self.state.put_before(child) || self.placeholder.insert_before_this(child)
        }

        /// For attributes that are put on views: none are.
        fn elements(&self) -> Vec<Element> {
            Vec::new()
        }
    }

    impl AddAnyAttr for AnyView {
        type Output<A: Attribute> = Self;

        /// Attributes go on elements here, never on views.
        fn add_any_attr<A: Attribute>(self, _: A) -> Self {
            self
        }
    }

    impl RenderHtml for AnyView {
        type AsyncOutput = Self;
        type Owned = Self;
        const MIN_LENGTH: usize = 0;

        fn dry_resolve(&mut self) {}

        async fn resolve(self) -> Self {
            self
        }

        /// The server's.
        fn to_html_with_buf(
            self,
            _: &mut String,
            _: &mut Position,
            _: bool,
            _: bool,
            _: Vec<AnyAttribute>,
        ) {
        }

        fn hydrate<const FROM_SERVER: bool>(
            self,
            cursor: &Cursor,
            position: &PositionState,
        ) -> Shown {
            self.0.hydrate(cursor, position)
        }

        fn into_owned(self) -> Self {
            self
        }
    }
}
