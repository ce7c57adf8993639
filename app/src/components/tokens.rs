//! Personal tokens: made with a name, their secret shown once, revoked.

use crate::prelude::*;
use leptos::ev;
use uuid::Uuid;

use super::form::{FieldOf, field, form_of, general};
use crate::{
    api::account::{NewToken, TokenRow},
    browser::http,
    pages::account::form_state,
    state::Client,
    ui::Ui,
    words,
};

/// The card.
pub fn tokens() -> Markup {
    let ui = Ui::get();
    let start = ui.tokens();
    let rows = RwSignal::new(start.clone().unwrap_or_default());
    let secret = RwSignal::new(ui.new_token());
    // Reached from another page, this one came with none.
    if start.is_none() {
        Effect::new(move || {
            leptos::task::spawn_local(async move {
                let all = http::call("tokens", &serde_json::Map::new()).await;
                if let Ok(all) = all {
                    rows.set(all);
                }
            });
        });
    }
    let state = form_state("/rpc/create_token");
    let submit = move |event: ev::SubmitEvent| {
        let form = form_of(&event);
        state.submit(&event, move |answer| {
            let made: Result<NewToken, _> = serde_json::from_str(&answer.body);
            if let Ok(made) = made {
                secret.set(Some(made.token));
                rows.update(|rows| rows.insert(0, made.row));
            }
            if let Some(form) = form {
                form.reset();
            }
        });
    };
    let name = FieldOf {
        label: "Name of a new token",
        name: "name",
        kind: "text",
        autocomplete: "off",
        help: "What it is for, such as: calendar script.",
    };
    view! {
        <section class="card">
            <h2>"Tokens"</h2>
            <p class="sub">
                "A program with a token may do with your tasks what you may. See "
                <a class="link" href="/api/docs" rel="external" target="_self">
                    "how the API works"
                </a> "."
            </p>
            <form method="post" action="/rpc/create_token" on:submit=submit>
                {general(state)}
                {field(name, String::new(), state)}
                <button class="btn" prop:disabled=move || state.busy.get()>
                    "Create a token"
                </button>
            </form>
            <div role="status">
                {move || {
                    secret
                        .get()
                        .map(|secret| {
                            view! {
                                <div class="notice good">
                                    <div>
                                        "Copy it now. It is not shown again."
                                        <code class="secret">{secret}</code>
                                    </div>
                                </div>
                            }
                        })
                }}
            </div>
            <ul class="tokens">
                <For
                    each=move || rows.get()
                    key=|row| row.id
                    children=move |row| token(row, rows)
                />
            </ul>
        </section>
    }
}

fn token(row: TokenRow, rows: RwSignal<Vec<TokenRow>>) -> Markup {
    let client = Client::get();
    let state = form_state("/rpc/revoke_token");
    let id: Uuid = row.id;
    let revoke = move |event: ev::SubmitEvent| {
        state.submit(&event, move |_| {
            rows.update(|rows| rows.retain(|r| r.id != id));
            client.toasts().plain("The token is revoked.");
        });
    };
    let made = client.with_here(|here| words::moment_with_day(row.created_at, here));
    let label = ["Revoke ", &row.name].concat();
    view! {
        <li>
            <div>
                <b>{row.name}</b>
                <div class="small muted">"Made " {made}</div>
            </div>
            <form method="post" action="/rpc/revoke_token" on:submit=revoke>
                <input type="hidden" name="id" value=id.to_string() />
                <button class="btn plain" aria-label=label>
                    "Revoke"
                </button>
            </form>
        </li>
    }
}
