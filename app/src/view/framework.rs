//! A whole page, given to the framework, to which it is a view like any other.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::{AddAnyAttr, Mountable, Render, RenderHtml},
    tachys::{
        hydration::Cursor,
        renderer::types::{Element, Node},
        view::{Position, PositionState},
    },
};

use super::Markup;

#[cfg(not(feature = "hydrate"))]
type Inside = super::html::Html;
#[cfg(feature = "hydrate")]
type Inside = send_wrapper::SendWrapper<Markup>;

/// A whole page. On the server it is written already, in the browser it is not yet drawn.
pub struct Whole(Inside);

impl From<Markup> for Whole {
    #[cfg(not(feature = "hydrate"))]
    fn from(markup: Markup) -> Self {
        Self(super::html::written(markup))
    }

    #[cfg(feature = "hydrate")]
    fn from(markup: Markup) -> Self {
        Self(send_wrapper::SendWrapper::new(markup))
    }
}

/// Keeps what a page left in the document: all of it, for as long as the page lives.
#[cfg_attr(feature = "hydrate", expect(dead_code, reason = "held, not read"))]
pub struct Kept(#[cfg(feature = "hydrate")] super::browser::Shown);

impl Mountable for Kept {
    fn unmount(&mut self) {}

    fn mount(&mut self, _: &Element, _: Option<&Node>) {}

    fn insert_before_this(&self, _: &mut dyn Mountable) -> bool {
        false
    }

    fn elements(&self) -> Vec<Element> {
        Vec::new()
    }
}

impl Render for Whole {
    type State = Kept;

    fn build(self) -> Kept {
        Kept(
            #[cfg(feature = "hydrate")]
            self.0.take().draw(None),
        )
    }

    fn rebuild(self, _: &mut Kept) {}
}

impl AddAnyAttr for Whole {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for Whole {
    type AsyncOutput = Self;
    type Owned = Self;
    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(
        self,
        out: &mut String,
        _: &mut Position,
        _: bool,
        _: bool,
        _: Vec<AnyAttribute>,
    ) {
        #[cfg(not(feature = "hydrate"))]
        self.0.put(out);
        #[cfg(feature = "hydrate")]
        let _ = out;
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, _: &PositionState) -> Kept {
        let _ = cursor;
        Kept(
            #[cfg(feature = "hydrate")]
            self.0
                .take()
                .draw(Some(&super::browser::Cursor::inside(cursor.current()))),
        )
    }

    fn into_owned(self) -> Self {
        self
    }
}
