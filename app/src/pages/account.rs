//! The account: profile, password, sessions, tokens, and its end.

use crate::prelude::*;
use leptos::ev;

use crate::{
    api::account::Profile,
    components::{
        form::{FieldOf, FormState, field, general},
        head::head,
        tokens::tokens,
    },
    route::Route,
    state::Client,
    ui::Ui,
};

/// The page.
pub fn account() -> Markup {
    let profile = Client::get().profile();
    let email =
        move || profile.with(|p| p.as_ref().map(|p| p.user.email.clone()).unwrap_or_default());
    view! {
        {head(Route::Account, email)}
        <div class="sheet">
            {Ui::get().done().map(|words| view! { <p class="notice good" role="status">{words}</p> })}
            {about_you(profile)} {password()} {sessions()} {tokens()} {the_end()}
        </div>
    }
}

/// The state of a form, with the fault that it had before the page was rendered.
pub fn form_state(action: &str) -> FormState {
    FormState::new(Ui::get().fault_of(action))
}

/// A card with a form.
fn card(class: &'static str, heading: &'static str, words: &'static str, form: Markup) -> Markup {
    view! {
        <section class=class>
            <h2>{heading}</h2>
            <p class="sub">{words}</p>
            {form}
        </section>
    }
}

fn about_you(profile: RwSignal<Option<Profile>>) -> Markup {
    let client = Client::get();
    let state = form_state("/rpc/set_profile");
    let start = profile.get_untracked();
    let text = |f: fn(&Profile) -> &str| start.as_ref().map(f).unwrap_or_default().to_owned();
    let (name, zone) = (text(|p| &p.user.name), text(|p| &p.user.time_zone));
    let form = NodeRef::<leptos::html::Form>::new();
    let submit = move |event| {
        state.submit(&event, move |_| {
            // What was sent is what is in the form; the page follows at once.
            let Some(form) = form.get_untracked() else {
                return;
            };
            let value = |name: &str| {
                let data = web_sys::FormData::new_with_form(&form).ok()?;
                data.get(name).as_string()
            };
            profile.update(|profile| {
                if let Some(profile) = profile {
                    let keep = |new: Option<String>, old: &mut String| {
                        if let Some(new) = new {
                            new.trim().clone_into(old);
                        }
                    };
                    keep(value("name"), &mut profile.user.name);
                    keep(value("time_zone"), &mut profile.user.time_zone);
                    keep(value("theme"), &mut profile.theme);
                }
            });
            client.toasts().plain("Saved.");
        });
    };
    let theme = move |value: &'static str, label: &'static str| {
        let checked = move || profile.with(|p| p.as_ref().is_some_and(|p| p.theme == value));
        view! {
            <label>
                <input
                    type="radio"
                    name="theme"
                    value=value
                    checked=untrack(checked)
                    prop:checked=checked
                />
                {label}
            </label>
        }
    };
    let name_field = FieldOf {
        label: "Name",
        name: "name",
        kind: "text",
        autocomplete: "name",
        help: "",
    };
    let zone_field = FieldOf {
        label: "Time zone",
        name: "time_zone",
        kind: "text",
        autocomplete: "off",
        help: "Such as Europe/Berlin. Dates and times are shown there.",
    };
    let form = view! {
        <form node_ref=form method="post" action="/rpc/set_profile" on:submit=submit>
            {general(state)}
            {field(name_field, name, state)}
            {field(zone_field, zone, state)}
            <fieldset class="field">
                <legend class="label">"Theme"</legend>
                <div class="radios">
                    {theme("system", "As the system")} {theme("light", "Light")}
                    {theme("dark", "Dark")}
                </div>
            </fieldset>
            <button class="btn" prop:disabled=move || state.busy.get()>
                "Save"
            </button>
        </form>
    };
    card(
        "card",
        "You",
        "How Tidings calls you, and how it looks.",
        form.into_markup(),
    )
}

fn password() -> Markup {
    let client = Client::get();
    let state = form_state("/rpc/set_password");
    let submit = move |event: ev::SubmitEvent| {
        let form = crate::components::form::form_of(&event);
        state.submit(&event, move |_| {
            if let Some(form) = form {
                form.reset();
            }
            client
                .toasts()
                .plain("The password is changed. Other sessions have ended.");
        });
    };
    let current = FieldOf {
        label: "Current password",
        name: "current",
        kind: "password",
        autocomplete: "current-password",
        help: "",
    };
    let new = FieldOf {
        label: "New password",
        name: "new",
        kind: "password",
        autocomplete: "new-password",
        help: "At least 10 characters. A few words work well.",
    };
    let form = view! {
        <form method="post" action="/rpc/set_password" on:submit=submit>
            {general(state)}
            {field(current, String::new(), state)}
            {field(new, String::new(), state)}
            <button class="btn" prop:disabled=move || state.busy.get()>
                "Change the password"
            </button>
        </form>
    };
    card(
        "card",
        "Password",
        "All other sessions end when it changes.",
        form.into_markup(),
    )
}

fn sessions() -> Markup {
    let form = view! {
        <div class="chips">
            <form method="post" action="/rpc/sign_out">
                <button class="btn plain">"Sign out"</button>
            </form>
            <form method="post" action="/rpc/sign_out">
                <input type="hidden" name="everywhere" value="true" />
                <button class="btn plain">"Sign out everywhere"</button>
            </form>
        </div>
    };
    let words = "Where you sign in, you stay signed in for 30 days after your last visit.";
    card("card", "Sessions", words, form.into_markup())
}

fn the_end() -> Markup {
    let state = form_state("/rpc/delete_account");
    let submit = move |event| {
        state.submit(&event, |answer| {
            let to = answer.location.unwrap_or_else(|| "/sign-up".into());
            let _ = window().location().assign(&to);
        });
    };
    let password = FieldOf {
        label: "Your password",
        name: "password",
        kind: "password",
        autocomplete: "current-password",
        help: "",
    };
    let form = view! {
        <details>
            <summary class="link">"Delete the account"</summary>
            <form method="post" action="/rpc/delete_account" on:submit=submit>
                {general(state)}
                {field(password, String::new(), state)}
                <button class="btn danger" prop:disabled=move || state.busy.get()>
                    "Delete everything"
                </button>
            </form>
        </details>
    };
    let words = "All your tasks, their history and your tokens go with it. There is no way back.";
    card("card risky", "The end", words, form.into_markup())
}
