//! What a person is notified of, and how: a form on Account. Made on the server only.

use tidings_domain::notice::{Channels, Kind, Settings};

use super::form::general;
use crate::{pages::account::form_state, prelude::*};

/// The card.
pub fn card(settings: Settings) -> Markup {
    let state = form_state("/rpc/set_notifications");
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| line(kind, settings.of(kind)))
        .collect();
    view! {
        <section class="card">
            <h2>"Notifications"</h2>
            <p class="sub">"What you are told, and where."</p>
            <form method="post" action="/rpc/set_notifications">
                {general(&state)}
                {kinds}
                <button class="btn">"Save notifications"</button>
            </form>
            // `notify.js` shows it where the browser can be asked, and says what it answered.
            <p class="small" id="browser-notices" hidden>
                <button type="button" class="btn plain">
                    "Allow notifications in this browser"
                </button>
                <span role="status"></span>
            </p>
        </section>
    }
}

fn line(kind: Kind, channels: Channels) -> Markup {
    let legend = match kind {
        Kind::Reminder => "Reminders",
        Kind::TaskCreated => "New tasks",
        Kind::TaskCompleted => "Tasks that are done",
        Kind::Streak => "Days in a row",
    };
    let tick = |name: &str, label: &'static str, on: bool| {
        let name = [kind.as_str(), "[", name, "]"].concat();
        view! {
            <label>
                <input type="checkbox" name=name value="true" checked=on />
                {label}
            </label>
        }
    };
    let ticks = view! {
        {tick("app", "In the app", channels.app)}
        {tick("browser", "Browser", channels.browser)}
        {tick("mail", "Mail", channels.mail)}
    };
    view! {
        <fieldset class="field">
            <legend class="label">{legend}</legend>
            <div class="radios">{ticks}</div>
        </fieldset>
    }
}
