//! `view!`, in the framework's syntax as far as the pages use it. It makes `crate::view::Markup`:
//! values of one type, where the framework makes a type of each view and the compiler a copy of its
//! code for each type.

use proc_macro2::TokenStream;
use quote::quote;
use rstml::node::{KeyedAttribute, Node, NodeAttribute, NodeElement};
use syn::{Expr, Lit, LitStr, Stmt, spanned::Spanned};

/// A view: elements, texts, blocks, `class:name`, `prop:name`, `on:event`, `on:event:target`,
/// `node_ref`, `inner_html`, `<For each key children/>`, a document type.
#[proc_macro]
pub fn view(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    rstml::parse2(tokens.into())
        .and_then(|nodes| sequence(&nodes))
        .unwrap_or_else(|error: syn::Error| error.to_compile_error())
        .into()
}

fn sequence(nodes: &[Node]) -> syn::Result<TokenStream> {
    let nodes: Vec<_> = nodes.iter().map(node).collect::<syn::Result<_>>()?;
    Ok(match nodes.as_slice() {
        [one] => quote!(#one),
        many => quote!(crate::view::Markup::Sequence(::std::vec![#(#many),*])),
    })
}

fn node(node: &Node) -> syn::Result<TokenStream> {
    match node {
        Node::Text(text) => {
            let text = &text.value;
            Ok(quote!(crate::view::Markup::text(#text)))
        }
        Node::Block(block) => {
            // Braces around one expression are the view's, and not a block of the program's.
            let inside = match block.try_block().map(|block| block.stmts.as_slice()) {
                Some([Stmt::Expr(expr, None)]) => quote!(#expr),
                _ => quote!(#block),
            };
            Ok(quote!(crate::view::IntoMarkup::into_markup(#inside)))
        }
        Node::Element(element) if element.name().to_string() == "For" => each(element),
        Node::Element(element) => match fixed(element) {
            Some(html) => Ok(quote!(crate::view::Markup::fixed(#html))),
            None => tag(element),
        },
        Node::Doctype(_) => Ok(quote!(crate::view::Markup::fixed("<!DOCTYPE html>"))),
        other => Err(unknown(other)),
    }
}

fn unknown(at: &impl Spanned) -> syn::Error {
    syn::Error::new(at.span(), "a view has no such thing here")
}

/// The name of an attribute as it is in the document.
fn key(attribute: &KeyedAttribute) -> String {
    let key = attribute.key.to_string().replace(' ', "");
    key.strip_prefix("r#").map(str::to_owned).unwrap_or(key)
}

/// The value of an attribute that never changes.
fn literal(attribute: &KeyedAttribute) -> Option<String> {
    match attribute.value() {
        None => Some(String::new()),
        Some(Expr::Lit(lit)) => match &lit.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        Some(_) => None,
    }
}

/// An element in which nothing ever changes, as HTML: it is drawn in one piece and hydration need
/// not look inside.
fn fixed(element: &NodeElement<rstml::Infallible>) -> Option<String> {
    let name = element.name().to_string();
    let mut html = format!("<{name}");
    for attribute in element.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else {
            return None;
        };
        let (key, value) = (key(attribute), literal(attribute)?);
        if key.contains(':') || key == "inner_html" {
            return None;
        }
        html.push_str(&format!(" {key}=\"{}\"", escape(&value)));
    }
    html.push('>');
    for child in element.children() {
        match child {
            // What is in these is no markup.
            Node::Text(text) if ["style", "script"].contains(&name.as_str()) => {
                html.push_str(&text.value_string());
            }
            Node::Text(text) => html.push_str(&escape(&text.value_string())),
            Node::Element(element) if element.name().to_string() != "For" => {
                html.push_str(&fixed(element)?);
            }
            _ => return None,
        }
    }
    if !VOID.contains(&name.as_str()) {
        html.push_str(&format!("</{name}>"));
    }
    Some(html)
}

/// Elements that have no end.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "link", "meta"];

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn tag(element: &NodeElement<rstml::Infallible>) -> syn::Result<TokenStream> {
    let name = element.name().to_string();
    let (mut names, mut values, mut sets) = (Vec::new(), Vec::new(), Vec::new());
    for attribute in element.attributes() {
        let NodeAttribute::Attribute(attribute) = attribute else {
            return Err(unknown(attribute));
        };
        match literal(attribute) {
            Some(value) if !key(attribute).contains(':') && key(attribute) != "inner_html" => {
                names.push(key(attribute));
                values.push(value);
            }
            _ => sets.push(set(&name, attribute)?),
        }
    }
    let children: Vec<_> = element
        .children()
        .iter()
        .map(node)
        .collect::<syn::Result<_>>()?;
    Ok(quote!(
        crate::view::element(#name, &[#((#names, #values)),*]) #(#sets)* #(.child(#children))*
            .markup()
    ))
}

/// The call that gives an element one of its attributes.
fn set(tag: &str, attribute: &KeyedAttribute) -> syn::Result<TokenStream> {
    let key = key(attribute);
    let value = attribute.value();
    let parts: Vec<_> = key.split(':').collect();
    let event = |name: &str| syn::Ident::new(name, attribute.span());
    Ok(match parts.as_slice() {
        ["node_ref"] => quote!(.node_ref(#value)),
        ["inner_html"] => quote!(.html(#value)),
        ["class", name] => quote!(.class(#name, #value)),
        ["prop", name] => quote!(.prop(#name, #value)),
        ["on", name] => {
            let event = event(name);
            quote!(.on(::leptos::ev::#event, #value))
        }
        ["on", name, "target"] => {
            let event = event(name);
            let target = match tag {
                "textarea" => quote!(::web_sys::HtmlTextAreaElement),
                "input" => quote!(::web_sys::HtmlInputElement),
                "select" => quote!(::web_sys::HtmlSelectElement),
                _ => return Err(unknown(attribute)),
            };
            quote!(.on_target::<_, #target>(::leptos::ev::#event, #value))
        }
        [name] => {
            let name = LitStr::new(name, attribute.span());
            quote!(.set(#name, #value))
        }
        _ => return Err(unknown(attribute)),
    })
}

fn each(element: &NodeElement<rstml::Infallible>) -> syn::Result<TokenStream> {
    let get = |name: &str| {
        element
            .attributes()
            .iter()
            .find_map(|attribute| match attribute {
                NodeAttribute::Attribute(a) if a.key.to_string() == name => a.value(),
                _ => None,
            })
            .ok_or_else(|| unknown(element))
    };
    let (items, key, children) = (get("each")?, get("key")?, get("children")?);
    Ok(quote!(crate::view::each(#items, #key, #children)))
}
