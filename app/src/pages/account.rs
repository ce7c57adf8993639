//! The account: profile, password, sessions, tokens, and its end. Plain forms, all of it; the
//! browser does not draw this page, it loads it.

use crate::{
    api::{
        account::{Profile, TokenRow},
        notices::Notices,
    },
    components::{
        form::{FieldOf, FormState, PASSWORD_HELP, field, general},
        head::head,
        notice_settings, tokens,
    },
    page::PageData,
    prelude::*,
    route::{Route, param},
    state::Client,
    ui::Ui,
};

/// What the page starts from, besides the profile. In context.
#[derive(Clone, Default)]
pub struct Start {
    tokens: Vec<TokenRow>,
    new_token: Option<String>,
    done: Option<&'static str>,
    /// The name and the zone that were typed and could not be saved.
    typed: Option<(String, String)>,
}

impl Start {
    /// Puts what `page` holds of it into context.
    pub fn provide(page: &PageData) {
        let refused = page.failed.as_deref() == Some("/rpc/set_profile");
        let typed = |name: &str| param(&page.query, name);
        provide_context(page.notices.clone().map(|n| *n).unwrap_or_default());
        provide_context(Self {
            typed: typed("name").zip(typed("time_zone")).filter(|_| refused),
            tokens: page.tokens.clone(),
            new_token: page.new_token.clone(),
            done: done(&page.query),
        });
    }
}

/// What a plain form did before the page was rendered, in words, from the address that it led to.
fn done(query: &str) -> Option<&'static str> {
    query.split('&').find_map(|pair| match pair {
        "done=profile" => Some("Saved."),
        "done=password" => Some("The password is changed. Other sessions have ended."),
        "done=notifications" => Some("Saved."),
        "done=token" => Some("The token is revoked."),
        _ => None,
    })
}

/// The page.
pub fn account() -> Markup {
    let mut profile = Client::get().profile().get_untracked();
    let email = profile.as_ref().map(|p| p.user.email.clone());
    let settings = expect_context::<Notices>().settings;
    let Start {
        tokens,
        new_token,
        done,
        typed,
    } = expect_context();
    if let (Some(profile), Some((name, zone))) = (&mut profile, typed) {
        (profile.user.name, profile.user.time_zone) = (name, zone);
    }
    view! {
        {head(Route::Account, move || email.clone().unwrap_or_default())}
        <div class="sheet">
            {done.map(|words| view! { <p class="notice good" role="status">{words}</p> })}
            {profile.map(about_you)} {password()} {sessions()}
            {notice_settings::card(settings)} {tokens::card(tokens, new_token)} {the_end()}
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

fn about_you(profile: Profile) -> Markup {
    let state = form_state("/rpc/set_profile");
    let theme = |value: &'static str, label: &'static str| {
        view! {
            <label>
                <input type="radio" name="theme" value=value checked=profile.theme == value />
                {label}
            </label>
        }
    };
    let themes = view! {
        {theme("system", "As the system")}
        {theme("light", "Light")}
        {theme("dark", "Dark")}
    };
    let name = FieldOf {
        label: "Name",
        name: "name",
        kind: "text",
        autocomplete: "name",
        help: "",
    };
    let zone = FieldOf {
        label: "Time zone",
        name: "time_zone",
        kind: "text",
        autocomplete: "off",
        help: "Such as Europe/Berlin. Dates and times are shown there.",
    };
    let form = view! {
        <form method="post" action="/rpc/set_profile">
            {general(&state)}
            {field(name, profile.user.name, &state)}
            {field(zone, profile.user.time_zone, &state)}
            <fieldset class="field">
                <legend class="label">"Theme"</legend>
                <div class="radios">{themes}</div>
            </fieldset>
            <button class="btn">"Save"</button>
        </form>
    };
    let words = "How Tidings calls you, and how it looks.";
    card("card", "You", words, form)
}

fn password() -> Markup {
    let state = form_state("/rpc/set_password");
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
        help: PASSWORD_HELP,
    };
    let form = view! {
        <form method="post" action="/rpc/set_password">
            {general(&state)}
            {field(current, String::new(), &state)}
            {field(new, String::new(), &state)}
            <button class="btn">"Change the password"</button>
        </form>
    };
    let words = "All other sessions end when it changes.";
    card("card", "Password", words, form)
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
    card("card", "Sessions", words, form)
}

fn the_end() -> Markup {
    let state = form_state("/rpc/delete_account");
    let open = state.code().is_some();
    let password = FieldOf {
        label: "Your password",
        name: "password",
        kind: "password",
        autocomplete: "current-password",
        help: "",
    };
    let form = view! {
        <details open=open>
            <summary class="link">"Delete the account"</summary>
            <form method="post" action="/rpc/delete_account">
                {general(&state)}
                {field(password, String::new(), &state)}
                <button class="btn danger">"Delete everything"</button>
            </form>
        </details>
    };
    let words = "All your tasks, their history and your tokens go with it. There is no way back.";
    card("card risky", "The end", words, form)
}
