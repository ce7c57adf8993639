//! Signing in.

use crate::prelude::*;
use tidings_domain::error::Fault;

use crate::components::{
    form::{FieldOf, FormState, field, general},
    lone::lone,
};

/// The page. `next` is where to go on, a path of ours.
pub fn sign_in(next: String, email: String, fault: Option<Fault>) -> Markup {
    let state = FormState::new(fault);
    let submit = move |event| {
        state.submit(&event, |answer| {
            let to = answer.location.unwrap_or_else(|| "/inbox".into());
            let _ = window().location().assign(&to);
        });
    };
    let sign_up = if next.is_empty() {
        "/sign-up".to_owned()
    } else {
        ["/sign-up?next=", &crate::route::encode(&next)].concat()
    };
    let email_field = FieldOf {
        label: "Email",
        name: "email",
        kind: "email",
        autocomplete: "username",
        help: "",
    };
    let password_field = FieldOf {
        label: "Password",
        name: "password",
        kind: "password",
        autocomplete: "current-password",
        help: "",
    };
    lone(view! {
        <h1>"Sign in"</h1>
        <p class="sub">"Your tasks, the same in every tab."</p>
        <form method="post" action="/rpc/sign_in" on:submit=submit>
            {general(state)}
            <input type="hidden" name="next" value=next />
            {field(email_field, email, state)}
            {field(password_field, String::new(), state)}
            <button class="btn wide" prop:disabled=move || state.busy.get()>
                "Sign in"
            </button>
        </form>
        <p class="foot">
            "New here? "
            <a class="link" href=sign_up>
                "Create an account"
            </a>
        </p>
    })
}
