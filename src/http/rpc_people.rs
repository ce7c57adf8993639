//! The port of accounts: what server functions do for whoever makes the request.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::header;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use tidings_app::{
    api::account::{NewToken, Profile, SignIn, SignUp, TokenRow},
    ports,
};
use tidings_domain::{
    account,
    error::{Code, Fault},
    time::TzDatabase,
};
use uuid::Uuid;

use super::{caller::set_cookie, problem::fault, state::AppState};
use crate::{
    auth::{Actor, Caller},
    service::accounts::{ProfileChange, Registration},
    store::Token,
};

/// The accounts, for one request.
pub struct People {
    /// The server.
    pub app: AppState,
    /// Who makes the request.
    pub caller: Arc<Caller>,
    /// Who is signed in.
    pub actor: Option<Actor>,
}

impl People {
    fn actor(&self) -> Result<&Actor, Fault> {
        self.actor.as_ref().ok_or(Code::Unauthenticated.into())
    }

    /// Gives or takes the cookie.
    fn cookie(&self, response: Option<ResponseOptions>, secret: Option<&str>) {
        if let Some(response) = response
            && let Some(cookie) = set_cookie(secret, self.caller.https)
        {
            response.append_header(header::SET_COOKIE, cookie);
        }
    }
}

#[async_trait]
impl ports::People for People {
    async fn sign_up(&self, form: SignUp) -> Result<(), Fault> {
        let response = use_context();
        // A browser's guess of its zone is no reason to turn anybody away.
        let time_zone = form
            .time_zone
            .filter(|zone| account::time_zone(zone, &TzDatabase).is_ok());
        let form = Registration {
            email: form.email,
            name: form.name,
            password: form.password,
            time_zone,
        };
        let accounts = &self.app.accounts;
        let signed_in = accounts.register(form, "web", &self.caller).await;
        self.cookie(response, Some(&signed_in.map_err(fault)?.secret));
        Ok(())
    }

    async fn sign_in(&self, form: SignIn) -> Result<(), Fault> {
        let response = use_context();
        let accounts = &self.app.accounts;
        let signed_in = accounts
            .sign_in(&form.email, form.password, &self.caller)
            .await;
        self.cookie(response, Some(&signed_in.map_err(fault)?.secret));
        Ok(())
    }

    async fn sign_out(&self, everywhere: bool) -> Result<(), Fault> {
        let response = use_context();
        // Whoever is signed out already has what they want.
        if let Some(actor) = &self.actor {
            let out = self.app.accounts.sign_out(actor, everywhere).await;
            out.map_err(fault)?;
        }
        self.cookie(response, None);
        Ok(())
    }

    async fn ask_reset(&self, email: &str) -> Result<(), Fault> {
        let accounts = &self.app.accounts;
        accounts.ask_reset(email, &self.caller).await.map_err(fault)
    }

    async fn reset(&self, token: &str, password: String) -> Result<(), Fault> {
        let reset = self.app.accounts.reset(token, password, &self.caller).await;
        reset.map_err(fault)
    }

    async fn profile(&self) -> Result<Profile, Fault> {
        self.actor().map(profile)
    }

    async fn set_profile(
        &self,
        name: String,
        time_zone: String,
        theme: String,
    ) -> Result<Profile, Fault> {
        let change = ProfileChange {
            name: Some(name),
            time_zone: Some(time_zone),
            theme: Some(theme),
        };
        let updated = self.app.accounts.update(self.actor()?, change).await;
        let (user, theme) = updated.map_err(fault)?;
        Ok(Profile { user, theme })
    }

    async fn set_password(&self, current: String, new: String) -> Result<(), Fault> {
        let accounts = &self.app.accounts;
        let set = accounts.set_password(self.actor()?, current, new).await;
        set.map_err(fault)
    }

    async fn delete_account(&self, password: String) -> Result<(), Fault> {
        let response = use_context();
        let deleted = self.app.accounts.delete(self.actor()?, password).await;
        deleted.map_err(fault)?;
        self.cookie(response, None);
        Ok(())
    }

    async fn tokens(&self) -> Result<Vec<TokenRow>, Fault> {
        let tokens = self.app.accounts.tokens(self.actor()?).await;
        Ok(tokens.map_err(fault)?.into_iter().map(row).collect())
    }

    async fn create_token(&self, name: String) -> Result<NewToken, Fault> {
        let accounts = &self.app.accounts;
        let made = accounts.create_token(self.actor()?, &name).await;
        let (made, token) = made.map_err(fault)?;
        Ok(NewToken {
            row: row(made),
            token,
        })
    }

    async fn revoke_token(&self, id: Uuid) -> Result<(), Fault> {
        let revoked = self.app.accounts.revoke_token(self.actor()?, id).await;
        revoked.map_err(fault)
    }
}

/// Who is signed in, as the pages show it.
pub fn profile(actor: &Actor) -> Profile {
    Profile {
        user: actor.user.as_ref().clone(),
        theme: actor.theme.to_string(),
    }
}

/// A personal token, as the Account page shows it.
pub(super) fn row(token: Token) -> TokenRow {
    TokenRow {
        id: token.id,
        name: token.name,
        created_at: token.created_at,
    }
}
