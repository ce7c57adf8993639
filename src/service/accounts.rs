//! Accounts: signing up, in and out, and what people may change about theirs.

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_domain::{
    account::{self, User},
    error::{Code, Fault, FieldError},
    event::{self, EventType, Metadata},
    id::{EventId, UserId},
    time::TzDatabase,
};
use uuid::Uuid;

use crate::{
    auth::{
        Actor, Caller,
        password::Passwords,
        rate::{Limit, Rate, network},
        secret,
        sessions::Sessions,
    },
    clock::Ambient,
    error::Result,
    store::{Account, LooseEvent, SharedStore, Token},
};

/// Personal tokens that a person may have.
const TOKENS_MAX: usize = 100;
/// What a theme may be.
const THEMES: [&str; 3] = ["system", "light", "dark"];

/// How often anyone may try; `None`: as often as they like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Sign-ins from an address.
    pub sign_in_address: Option<Rate>,
    /// Sign-ins and other proofs of the password of an account.
    pub sign_in_account: Option<Rate>,
    /// Sign-ups from an address.
    pub sign_up_address: Option<Rate>,
}

/// What signing up asks for.
#[derive(Clone, Debug, Default)]
pub struct Registration {
    /// Email.
    pub email: String,
    /// Name.
    pub name: String,
    /// Password.
    pub password: String,
    /// IANA name; UTC where there is none.
    pub time_zone: Option<String>,
}

/// What a person changes of their profile.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// Name.
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// `light`, `dark` or `system`.
    pub theme: Option<String>,
}

/// Somebody who has just signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The secret of the session, for the cookie.
    pub secret: String,
}

/// Accounts, sessions and personal tokens.
pub struct Accounts {
    store: SharedStore,
    ambient: Ambient,
    sessions: Arc<Sessions>,
    passwords: Passwords,
    sign_in_address: Limit,
    sign_in_account: Limit,
    sign_up_address: Limit,
}

impl Accounts {
    /// The accounts of a store.
    ///
    /// # Errors
    /// `Internal` where passwords cannot be hashed here.
    pub async fn new(
        store: SharedStore,
        ambient: Ambient,
        sessions: Arc<Sessions>,
        limits: Limits,
    ) -> Result<Self> {
        let limit = |rate| Limit::new(rate, ambient.clock.clone());
        Ok(Self {
            sign_in_address: limit(limits.sign_in_address),
            sign_in_account: limit(limits.sign_in_account),
            sign_up_address: limit(limits.sign_up_address),
            passwords: Passwords::new().await?,
            store,
            ambient,
            sessions,
        })
    }

    /// Makes an account and signs in. `source` is where people signed up, for `user.registered`.
    ///
    /// # Errors
    /// `validation_failed`, `email_taken`, `rate_limited`, or those of the store.
    pub async fn register(
        &self,
        form: Registration,
        source: &str,
        caller: &Caller,
    ) -> Result<SignedIn> {
        let zone = form.time_zone.as_deref().unwrap_or("UTC");
        let email = account::email(&form.email);
        let name = account::name(&form.name);
        let time_zone = account::time_zone(zone, &TzDatabase);
        let password = account::password("password", &form.password);
        let (email, name, time_zone) = match (email, name, time_zone, password) {
            (Ok(email), Ok(name), Ok(time_zone), Ok(())) => (email, name, time_zone),
            (email, name, time_zone, password) => {
                let errors = [email.err(), name.err(), password.err(), time_zone.err()];
                return Err(Fault::fields(errors.into_iter().flatten().collect()).into());
            }
        };
        self.sign_up_address.check(network(caller.ip))?;
        let key = account::email_key(&email);
        if self.store.account_by_email(&key).await?.is_some() {
            return Err(Code::EmailTaken.into());
        }
        let password_hash = self.passwords.hash(form.password).await?;
        let user = User {
            id: UserId(self.ambient.ids.next()),
            email,
            name,
            time_zone,
            created_at: self.ambient.clock.now(),
        };
        let data = json!({
            "user_id": user.id,
            "email": user.email,
            "name": user.name,
            "registered_at": user.created_at,
            "source": source,
        });
        let event = self.event(
            EventType::UserRegistered,
            Some(user.id),
            data,
            trace(caller),
        );
        let account = Account {
            user: user.clone(),
            password_hash,
            theme: THEMES[0].into(),
        };
        self.store.register(&account, &event).await?;
        self.begin(user, caller).await
    }

    /// Signs in: a new session, whatever others there are.
    ///
    /// # Errors
    /// `invalid_credentials`, in the same time and words whether or not the email is known,
    /// `rate_limited`, or those of the store.
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        caller: &Caller,
    ) -> Result<SignedIn> {
        let key = account::email_key(email);
        self.sign_in_address.check(network(caller.ip))?;
        self.sign_in_account.check(&key)?;
        let account = self.store.account_by_email(&key).await?;
        let hash = account.as_ref().map(|a| a.password_hash.clone());
        let fits = self.passwords.verify(password, hash).await?;
        match account {
            Some(account) if fits => self.begin(account.user, caller).await,
            account => {
                let user = account.map(|a| a.user.id);
                let data = seen(user, caller);
                let event = self.event(EventType::LoginFailed, user, data, trace(caller));
                self.store.record(&event).await?;
                Err(Code::InvalidCredentials.into())
            }
        }
    }

    async fn begin(&self, user: User, caller: &Caller) -> Result<SignedIn> {
        let secret = secret::session();
        let session = self.sessions.begin(user.id, &secret);
        let data = seen(Some(user.id), caller);
        let event = self.event(EventType::LoggedIn, Some(user.id), data, trace(caller));
        self.store.create_session(&session, &event).await?;
        Ok(SignedIn { user, secret })
    }

    /// Signs out, here or everywhere.
    ///
    /// # Errors
    /// `forbidden` for a personal token, or those of the store.
    pub async fn sign_out(&self, actor: &Actor, everywhere: bool) -> Result<()> {
        let session = actor.session()?;
        let mut data = seen(Some(actor.user.id), &actor.caller);
        data["everywhere"] = everywhere.into();
        let event = self.by(EventType::LoggedOut, actor, data);
        let ended = self
            .store
            .end_session(&session, actor.user.id, everywhere, &event)
            .await;
        self.sessions.forget(actor.user.id);
        ended
    }

    /// Changes name, zone and theme, as far as they are given.
    ///
    /// # Errors
    /// `validation_failed`, `forbidden` for a personal token, or those of the store.
    pub async fn update(&self, actor: &Actor, change: ProfileChange) -> Result<(User, String)> {
        actor.session()?;
        let mut user = User::clone(&actor.user);
        let mut theme = actor.theme.to_string();
        let mut errors: Vec<FieldError> = Vec::new();
        let mut set = |place: &mut String, value: Option<Result<String, FieldError>>| match value {
            Some(Ok(value)) => *place = value,
            Some(Err(error)) => errors.push(error),
            None => {}
        };
        set(&mut user.name, change.name.as_deref().map(account::name));
        let zone = change.time_zone.as_deref();
        set(
            &mut user.time_zone,
            zone.map(|zone| account::time_zone(zone, &TzDatabase)),
        );
        set(&mut theme, change.theme.map(check_theme));
        if !errors.is_empty() {
            return Err(Fault::fields(errors).into());
        }
        let updated = self
            .store
            .update_account(user.id, &user.name, &user.time_zone, &theme)
            .await;
        self.sessions.forget(user.id);
        updated.map(|()| (user, theme))
    }

    /// Sets the password. Every other session ends.
    ///
    /// # Errors
    /// `invalid_credentials` on `current`, `validation_failed` on `new`, `rate_limited`,
    /// `forbidden` for a personal token, or those of the store.
    pub async fn set_password(&self, actor: &Actor, current: String, new: String) -> Result<()> {
        let session = actor.session()?;
        account::password("new", &new).map_err(|error| Fault::fields(vec![error]))?;
        self.prove(actor, "current", current).await?;
        let hash = self.passwords.hash(new).await?;
        let user = actor.user.id;
        let data = seen(Some(user), &actor.caller);
        let event = self.by(EventType::PasswordChanged, actor, data);
        let set = self
            .store
            .set_password(user, &hash, Some(&session), &event)
            .await;
        self.sessions.forget(user);
        set
    }

    /// Deletes the account, and everything of theirs with it.
    ///
    /// # Errors
    /// `invalid_credentials` on `password`, `rate_limited`, `forbidden` for a personal token, or
    /// those of the store.
    pub async fn delete(&self, actor: &Actor, password: String) -> Result<()> {
        actor.session()?;
        self.prove(actor, "password", password).await?;
        let user = actor.user.id;
        let data = json!({ "user_id": user, "deleted_at": self.ambient.clock.now() });
        let event = self.by(EventType::UserDeleted, actor, data);
        let deleted = self.store.delete_account(user, &event).await;
        self.sessions.forget(user);
        deleted
    }

    /// Has the person prove that they know their password, given as `field`.
    async fn prove(&self, actor: &Actor, field: &str, password: String) -> Result<()> {
        self.sign_in_account
            .check(account::email_key(&actor.user.email))?;
        let account = self.store.account(actor.user.id).await?;
        let hash = account.ok_or(Code::Unauthenticated)?.password_hash;
        if self.passwords.verify(password, Some(hash)).await? {
            return Ok(());
        }
        const WORDS: &str = "That is not your password.";
        let mut fault = Fault::new(Code::InvalidCredentials, WORDS);
        fault.errors = vec![FieldError::new(field, "invalid", WORDS)];
        Err(fault.into())
    }

    /// Personal tokens, newest first.
    ///
    /// # Errors
    /// `forbidden` for a personal token, or those of the store.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<Token>> {
        actor.session()?;
        self.store.tokens(actor.user.id).await
    }

    /// Makes a personal token; the second is its secret, which is kept nowhere.
    ///
    /// # Errors
    /// `validation_failed`, `conflict` where there are too many, `forbidden` for a personal token,
    /// or those of the store.
    pub async fn create_token(&self, actor: &Actor, name: &str) -> Result<(Token, String)> {
        actor.session()?;
        let name = token_name(name).map_err(|error| Fault::fields(vec![error]))?;
        if self.store.tokens(actor.user.id).await?.len() >= TOKENS_MAX {
            let words = format!("There are {TOKENS_MAX} tokens already. Revoke one first.");
            return Err(Fault::new(Code::Conflict, words).into());
        }
        let secret = secret::token();
        let token = Token {
            id: self.ambient.ids.next(),
            name,
            created_at: self.ambient.clock.now(),
        };
        let event = self.by(EventType::TokenCreated, actor, of_token(actor, token.id));
        self.store
            .create_token(actor.user.id, &token, &secret::digest(&secret), &event)
            .await?;
        Ok((token, secret))
    }

    /// Revokes a personal token.
    ///
    /// # Errors
    /// `not_found` where it is not theirs, `forbidden` for a personal token, or those of the store.
    pub async fn revoke_token(&self, actor: &Actor, id: Uuid) -> Result<()> {
        actor.session()?;
        let user = actor.user.id;
        let event = self.by(EventType::TokenRevoked, actor, of_token(actor, id));
        let revoked = self.store.revoke_token(user, id, &event).await;
        self.sessions.forget(user);
        if revoked? {
            Ok(())
        } else {
            Err(Code::NotFound.into())
        }
    }

    fn by(&self, event_type: EventType, actor: &Actor, data: Value) -> LooseEvent {
        let metadata = actor.metadata(None, None);
        self.event(event_type, Some(actor.user.id), data, metadata)
    }

    fn event(
        &self,
        event_type: EventType,
        user_id: Option<UserId>,
        data: Value,
        metadata: Metadata,
    ) -> LooseEvent {
        LooseEvent {
            event_id: EventId(self.ambient.ids.next()),
            event_type,
            timestamp: self.ambient.clock.now(),
            user_id,
            data,
            metadata,
        }
    }
}

/// What audit events tell of a request.
fn seen(user_id: Option<UserId>, caller: &Caller) -> Value {
    json!({ "user_id": user_id, "ip": caller.ip, "user_agent": caller.user_agent })
}

fn of_token(actor: &Actor, id: Uuid) -> Value {
    let mut data = seen(Some(actor.user.id), &actor.caller);
    data["token_id"] = json!(id);
    data
}

/// How an event of somebody who is not signed in yet came about.
fn trace(caller: &Caller) -> Metadata {
    Metadata {
        actor: event::Actor::User,
        traceparent: caller.traceparent.clone(),
        ..Metadata::default()
    }
}

fn check_theme(theme: String) -> Result<String, FieldError> {
    if THEMES.contains(&theme.as_str()) {
        return Ok(theme);
    }
    let words = "Theme is system, light or dark.";
    Err(FieldError::new("theme", "invalid", words))
}

fn token_name(text: &str) -> Result<String, FieldError> {
    // A token's name is held to what a person's is.
    account::name(text).map_err(|error| FieldError {
        message: error.message.replace("Name", "A token's name"),
        ..error
    })
}
