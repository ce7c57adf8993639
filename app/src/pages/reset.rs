//! A new password for somebody who has forgotten theirs: asking for a link, and what it leads to.

use tidings_domain::error::Fault;

use crate::{
    components::{
        form::{EMAIL, FieldOf, FormState, PASSWORD_HELP, field, general},
        lone::lone,
    },
    prelude::*,
};

/// The page that asks for a link. `sent` says that one was just asked for.
pub fn forgot(email: String, sent: bool, fault: Option<Fault>) -> Markup {
    let state = FormState::new(fault);
    let inside = if sent {
        view! {
            <p class="notice good" role="status">
                "If there is an account of that email, a mail is on its way. Its link works for an hour."
            </p>
        }
    } else {
        view! {
            <p class="sub">"A mail with a link comes to you, to set a new one."</p>
            <form method="post" action="/rpc/forgot_password">
                {general(&state)}
                {field(EMAIL, email, &state)}
                <button class="btn wide">"Send the link"</button>
            </form>
        }
    };
    lone(view! {
        <h1>"Forgot your password?"</h1>
        {inside}
        <p class="foot">
            <a class="link" href="/sign-in">
                "Sign in"
            </a>
        </p>
    })
}

/// The page that the link leads to, with its token.
pub fn reset(token: String, fault: Option<Fault>) -> Markup {
    let spent = |fault: &Fault| fault.errors.iter().any(|error| error.field == "token");
    let is_spent = token.is_empty() || fault.as_ref().is_some_and(spent);
    let state = FormState::new(fault);
    let password = FieldOf {
        label: "New password",
        name: "password",
        kind: "password",
        autocomplete: "new-password",
        help: PASSWORD_HELP,
    };
    let inside = if is_spent {
        view! {
            <p class="notice" role="alert">
                "This link does not work any more: it was used, or is over an hour old."
            </p>
            <a class="btn" href="/forgot">
                "Ask for a new one"
            </a>
        }
    } else {
        view! {
            <p class="sub">"You are signed out everywhere, and sign in with the new one."</p>
            <form method="post" action="/rpc/reset_password">
                {general(&state)}
                <input type="hidden" name="token" value=token />
                {field(password, String::new(), &state)}
                <button class="btn wide">"Set the password"</button>
            </form>
        }
    };
    lone(view! {
        <h1>"Set a new password"</h1>
        {inside}
    })
}
