//! Plain forms: the browser posts them, and the answer is a page. Made on the server only.

use tidings_domain::error::{Code, Fault};

use crate::prelude::*;

/// What a form was answered, where it failed.
#[derive(Clone, Default)]
pub struct FormState(Option<Fault>);

impl FormState {
    /// A form that failed with `fault`, or did not.
    pub fn new(fault: Option<Fault>) -> Self {
        Self(fault)
    }

    /// Why it failed.
    pub fn code(&self) -> Option<Code> {
        self.0.as_ref().map(|fault| fault.code)
    }

    /// The message of a field, where it is at fault.
    fn error(&self, field: &str) -> Option<String> {
        let fault = self.0.as_ref()?;
        let own = fault.errors.iter().find(|e| e.field == field);
        match own {
            Some(own) => Some(own.message.clone()),
            None if belongs(fault.code) == Some(field) && fault.errors.is_empty() => {
                Some(fault.detail.clone())
            }
            None => None,
        }
    }

    /// The message of the whole form, where no field is to blame.
    fn general(&self) -> Option<String> {
        let fault = self.0.as_ref()?;
        let none = fault.errors.is_empty() && belongs(fault.code).is_none();
        none.then(|| fault.detail.clone())
    }
}

/// The field beside which a fault is shown that names none.
fn belongs(code: Code) -> Option<&'static str> {
    match code {
        Code::InvalidCredentials => Some("password"),
        Code::EmailTaken => Some("email"),
        _ => None,
    }
}

/// What a field of a form is.
#[derive(Clone, Copy, Default)]
pub struct FieldOf {
    /// Beside it.
    pub label: &'static str,
    /// Its name in the form.
    pub name: &'static str,
    /// `text`, `email`, `password`.
    pub kind: &'static str,
    /// What a password manager knows it by.
    pub autocomplete: &'static str,
    /// What there is to know before one types; may be empty.
    pub help: &'static str,
}

/// The email that one signs in with.
pub const EMAIL: FieldOf = FieldOf {
    label: "Email",
    name: "email",
    kind: "email",
    autocomplete: "username",
    help: "",
};

/// What there is to know of a password that is chosen.
pub const PASSWORD_HELP: &str = "At least 10 characters. A few words work well.";

/// A labelled input with its message. One that is at fault takes the focus.
pub fn field(of: FieldOf, value: String, state: &FormState) -> Markup {
    // By the label, since two forms of a page may have fields of one name.
    let id = ["field-", &of.label.replace(' ', "-")].concat();
    let note = [&id, "-note"].concat();
    let error = state.error(of.name);
    let bad = error.is_some();
    let words = error.unwrap_or_else(|| of.help.to_owned());
    let described = (!words.is_empty()).then(|| note.clone());
    view! {
        <div class="field">
            <label for=id.clone()>{of.label}</label>
            <input
                id=id
                name=of.name
                type=of.kind
                value=value
                autocomplete=of.autocomplete
                aria-invalid=bad.then_some("true")
                aria-describedby=described
                autofocus=bad
                required
            />
            <small id=note class:bad=bad>
                {words}
            </small>
        </div>
    }
}

/// The message of a whole form, read out when it appears.
pub fn general(state: &FormState) -> Markup {
    let words = state.general();
    view! { <div role="alert">{words.map(|words| view! { <p class="notice">{words}</p> })}</div> }
}
