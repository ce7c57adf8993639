//! Making an account.

use tidings_domain::error::{Code, Fault};

use crate::{
    components::{
        form::{EMAIL, FieldOf, FormState, PASSWORD_HELP, field, general},
        lone::lone,
    },
    prelude::*,
    route::encode,
};

/// The page. `next` is where to go on, a path of ours. The script, once it is there, fills in the time
/// zone.
pub fn sign_up(next: String, email: String, name: String, fault: Option<Fault>) -> Markup {
    let state = FormState::new(fault);
    let taken = state.code() == Some(Code::EmailTaken);
    let sign_in = if next.is_empty() {
        "/sign-in".to_owned()
    } else {
        ["/sign-in?next=", &encode(&next)].concat()
    };
    let instead = taken.then(|| {
        view! {
            <p class="small sub">
                <a class="link" href=sign_in.clone()>
                    "Sign in with that email"
                </a>
            </p>
        }
    });
    let name_field = FieldOf {
        label: "Name",
        name: "name",
        kind: "text",
        autocomplete: "name",
        help: "What Tidings calls you.",
    };
    let password = FieldOf {
        label: "Password",
        name: "password",
        kind: "password",
        autocomplete: "new-password",
        help: PASSWORD_HELP,
    };
    lone(view! {
        <h1>"Create an account"</h1>
        <p class="sub">"Your tasks, the same in every tab."</p>
        <form method="post" action="/rpc/sign_up">
            {general(&state)}
            <input type="hidden" name="time_zone" />
            <input type="hidden" name="next" value=next />
            {field(name_field, name, &state)}
            {field(EMAIL, email, &state)}
            {instead}
            {field(password, String::new(), &state)}
            <button class="btn wide">"Create an account"</button>
        </form>
        <p class="foot">
            "Been here before? "
            <a class="link" href=sign_in>
                "Sign in"
            </a>
        </p>
    })
}
