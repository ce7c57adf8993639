//! Personal tokens: made with a name, their secret shown once, revoked.

use super::form::{FieldOf, field, general};
use crate::{api::account::TokenRow, pages::account::form_state, prelude::*, state::Client, words};

/// The card, with the secret of a token that has just been made.
pub fn card(tokens: Vec<TokenRow>, secret: Option<String>) -> Markup {
    let rows: Vec<_> = tokens.into_iter().map(token).collect();
    let secret = secret.map(|secret| {
        view! {
            <div class="notice good">
                <div>
                    "Copy it now. It is not shown again."
                    <code class="secret">{secret}</code>
                </div>
            </div>
        }
    });
    let state = form_state("/rpc/create_token");
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
            <form method="post" action="/rpc/create_token">
                {general(&state)}
                {field(name, String::new(), &state)}
                <button class="btn">"Create a token"</button>
            </form>
            <div role="status">{secret}</div>
            <ul class="tokens">{rows}</ul>
        </section>
    }
}

fn token(row: TokenRow) -> Markup {
    let made = Client::get().with_here(|here| words::moment_with_day(row.created_at, here));
    let label = ["Revoke ", &row.name].concat();
    view! {
        <li>
            <div>
                <b>{row.name}</b>
                <div class="small muted">"Made " {made}</div>
            </div>
            <form method="post" action="/rpc/revoke_token">
                <input type="hidden" name="id" value=row.id.to_string() />
                <button class="btn plain" aria-label=label>
                    "Revoke"
                </button>
            </form>
        </li>
    }
}
