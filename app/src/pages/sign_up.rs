//! Making an account.

use crate::prelude::*;
use tidings_domain::error::{Code, Fault};
use wasm_bindgen::JsValue;

use crate::components::{
    form::{FieldOf, FormState, field, general},
    lone::lone,
};

/// The page.
pub fn sign_up(email: String, name: String, fault: Option<Fault>) -> Markup {
    let state = FormState::new(fault);
    let zone = RwSignal::new(String::new());
    Effect::new(move || zone.set(browser_zone().unwrap_or_default()));
    let submit = move |event| {
        state.submit(&event, |answer| {
            let to = answer.location.unwrap_or_else(|| "/inbox".into());
            let _ = window().location().assign(&to);
        });
    };
    let taken = move || {
        let taken = Some(Code::EmailTaken);
        state.fault.with(|f| f.as_ref().map(|f| f.code) == taken)
    };
    let name_field = FieldOf {
        label: "Name",
        name: "name",
        kind: "text",
        autocomplete: "name",
        help: "What Tidings calls you.",
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
        autocomplete: "new-password",
        help: "At least 10 characters. A few words work well.",
    };
    lone(view! {
        <h1>"Create an account"</h1>
        <p class="sub">"Your tasks, the same in every tab."</p>
        <form method="post" action="/rpc/sign_up" on:submit=submit>
            {general(state)}
            <input type="hidden" name="time_zone" prop:value=move || zone.get() />
            {field(name_field, name, state)}
            {field(email_field, email, state)}
            {move || {
                taken()
                    .then(|| {
                        view! {
                            <p class="small sub">
                                <a class="link" href="/sign-in">
                                    "Sign in with that email"
                                </a>
                            </p>
                        }
                    })
            }}
            {field(password_field, String::new(), state)}
            <button class="btn wide" prop:disabled=move || state.busy.get()>
                "Create an account"
            </button>
        </form>
        <p class="foot">
            "Been here before? "
            <a class="link" href="/sign-in">
                "Sign in"
            </a>
        </p>
    })
}

/// The zone that the browser is in.
fn browser_zone() -> Option<String> {
    let format = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new());
    let options = format.resolved_options();
    js_sys::Reflect::get(&options, &JsValue::from_str("timeZone"))
        .ok()?
        .as_string()
}
