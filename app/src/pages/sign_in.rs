//! Signing in.

use tidings_domain::error::Fault;

use crate::{
    components::{
        form::{EMAIL, FieldOf, FormState, field, general},
        lone::lone,
    },
    prelude::*,
    route::encode,
};

/// The page. `next` is where to go on, a path of ours; `reset` says that the password was just set.
pub fn sign_in(next: String, email: String, reset: bool, fault: Option<Fault>) -> Markup {
    let state = FormState::new(fault);
    let sign_up = if next.is_empty() {
        "/sign-up".to_owned()
    } else {
        ["/sign-up?next=", &encode(&next)].concat()
    };
    let password = FieldOf {
        label: "Password",
        name: "password",
        kind: "password",
        autocomplete: "current-password",
        help: "",
    };
    let reset = reset.then(|| {
        view! {
            <p class="notice good" role="status">
                "The new password is set. Sign in with it."
            </p>
        }
    });
    lone(view! {
        <h1>"Sign in"</h1>
        <p class="sub">"Your tasks, the same in every tab."</p>
        {reset}
        <form method="post" action="/rpc/sign_in">
            {general(&state)}
            <input type="hidden" name="next" value=next />
            {field(EMAIL, email, &state)}
            {field(password, String::new(), &state)}
            <button class="btn wide">"Sign in"</button>
        </form>
        <p class="foot">
            <a class="link" href="/forgot">
                "Forgot your password?"
            </a>
        </p>
        <p class="foot">
            "New here? "
            <a class="link" href=sign_up>
                "Create an account"
            </a>
        </p>
    })
}
