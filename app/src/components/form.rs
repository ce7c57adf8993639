//! Plain forms: without script the browser posts them; with it they are sent behind the page, so
//! that what was typed stays where a fault is shown.

use crate::prelude::*;
use leptos::task::spawn_local;
use tidings_domain::error::{Code, Fault};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, HtmlFormElement, RequestInit, SubmitEvent, UrlSearchParams};

use crate::error::AppError;

/// What a form was answered.
pub struct Answer {
    /// The body: JSON of what the server function returned.
    pub body: String,
    /// Where to go on, if the form leads anywhere.
    pub location: Option<String>,
}

/// The fault of a form, and whether it is on its way.
#[derive(Clone, Copy)]
pub struct FormState {
    /// What went wrong the last time.
    pub fault: RwSignal<Option<Fault>>,
    /// On its way.
    pub busy: RwSignal<bool>,
}

impl FormState {
    /// A form that failed with `fault` before the page was rendered, or did not.
    pub fn new(fault: Option<Fault>) -> Self {
        Self {
            fault: RwSignal::new(fault),
            busy: RwSignal::new(false),
        }
    }

    /// Sends the form that was submitted; `done` takes the answer.
    pub fn submit(self, event: &SubmitEvent, done: impl FnOnce(Answer) + 'static) {
        event.prevent_default();
        let Some(form) = form_of(event) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let outcome = send(&form).await;
            self.busy.set(false);
            match outcome {
                Ok(answer) => {
                    self.fault.set(None);
                    done(answer);
                }
                Err(fault) => {
                    let first = fault.errors.first().map(|e| e.field.clone());
                    self.fault.set(Some(fault));
                    // The first field at fault takes the focus, and is read out with its message.
                    let name = first.unwrap_or_else(|| "password".into());
                    if let Ok(Some(field)) = form.query_selector(&["[name=", &name, "]"].concat())
                        && let Ok(field) = field.dyn_into::<web_sys::HtmlElement>()
                    {
                        let _ = field.focus();
                    }
                }
            }
        });
    }

    /// The message of a field, where it is at fault.
    pub fn error(self, field: &str) -> Option<String> {
        self.fault.with(|fault| {
            let fault = fault.as_ref()?;
            let own = fault.errors.iter().find(|e| e.field == field);
            match own {
                Some(own) => Some(own.message.clone()),
                None if belongs(fault.code) == Some(field) && fault.errors.is_empty() => {
                    Some(fault.detail.clone())
                }
                None => None,
            }
        })
    }

    /// The message of the whole form, where no field is to blame.
    pub fn general(self) -> Option<String> {
        self.fault.with(|fault| {
            let fault = fault.as_ref()?;
            let none = fault.errors.is_empty() && belongs(fault.code).is_none();
            none.then(|| fault.detail.clone())
        })
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

/// The form that is submitted.
pub fn form_of(event: &SubmitEvent) -> Option<HtmlFormElement> {
    event.target()?.dyn_into().ok()
}

async fn send(form: &HtmlFormElement) -> Result<Answer, Fault> {
    let unreachable = |_: JsValue| {
        Fault::new(
            Code::Unavailable,
            "Tidings cannot be reached. Check the connection and try again.",
        )
    };
    let action = form.get_attribute("action").unwrap_or_default();
    let data = FormData::new_with_form(form).map_err(unreachable)?;
    let body = UrlSearchParams::new_with_record_from_str_to_str(&js_sys::Object::new())
        .map_err(unreachable)?;
    for pair in js_sys::try_iter(&data).ok().flatten().into_iter().flatten() {
        let pair = js_sys::Array::from(&pair.map_err(unreachable)?);
        if let (Some(name), Some(value)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
            body.append(&name, &value);
        }
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&body);
    let headers = web_sys::Headers::new().map_err(unreachable)?;
    headers
        .set("accept", "application/json")
        .map_err(unreachable)?;
    init.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(&action, &init))
        .await
        .map_err(unreachable)?;
    let response: web_sys::Response = response.dyn_into().map_err(unreachable)?;
    let text = JsFuture::from(response.text().map_err(unreachable)?)
        .await
        .map_err(unreachable)?
        .as_string()
        .unwrap_or_default();
    if response.ok() {
        let location = response.headers().get("location").ok().flatten();
        return Ok(Answer {
            body: text,
            location,
        });
    }
    let fault: Result<AppError, _> = serde_json::from_str(&text);
    Err(fault.map_or_else(|_| Code::Internal.into(), |error| error.0))
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

/// A labelled input with its message.
pub fn field(of: FieldOf, value: String, state: FormState) -> Markup {
    // By the label, since two forms of a page may have fields of one name.
    let id = ["field-", &of.label.replace(' ', "-")].concat();
    let note = [&id, "-note"].concat();
    let bad = move || state.error(of.name);
    let described = {
        let note = note.clone();
        move || (bad().is_some() || !of.help.is_empty()).then(|| note.clone())
    };
    view! {
        <div class="field">
            <label for=id.clone()>{of.label}</label>
            <input
                id=id
                name=of.name
                type=of.kind
                value=value
                autocomplete=of.autocomplete
                aria-invalid=move || bad().map(|_| "true")
                aria-describedby=described
                required
            />
            <small id=note class:bad=move || bad().is_some()>
                {move || bad().unwrap_or_else(|| of.help.to_owned())}
            </small>
        </div>
    }
}

/// The message of a whole form, read out when it appears.
pub fn general(state: FormState) -> Markup {
    view! {
        <div role="alert">
            {move || state.general().map(|words| view! { <p class="notice">{words}</p> })}
        </div>
    }
}
