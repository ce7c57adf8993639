//! Accounts: signing up, in and out, and what people may change about theirs.

mod profile;
mod reset;
mod tokens;
mod trail;

use std::sync::Arc;

use serde_json::{Value, json};
use tidings_domain::{
    account::{self, User},
    error::{Code, Fault},
    event::{self, EventType, Metadata},
    id::{EventId, UserId},
    time::TzDatabase,
};
use tracing::instrument;

use crate::{
    auth::{
        Actor, Caller,
        failures::Failures,
        password::Passwords,
        rate::{Limit, Rate, network},
        reset::Resets,
        secret,
        sessions::Sessions,
    },
    clock::Ambient,
    error::Result,
    store::{Account, LooseEvent, Session, SharedStore},
    telemetry::SPANS,
};

pub use crate::store::ProfileChange;

/// What a theme may be.
const THEMES: [&str; 3] = ["system", "light", "dark"];

/// How often anyone may try; `None`: as often as they like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Sign-ins from an address, and new passwords for who forgot theirs.
    pub sign_in_address: Option<Rate>,
    /// Sign-ins to an account from an address, so that others cannot lock anybody out; and, counted
    /// apart, proofs of the password by who is in, and links that set a new one, from wherever.
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
    proof: Limit,
    reset: Limit,
    sign_up_address: Limit,
    resets: Resets,
    failures: Failures,
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
        resets: Resets,
    ) -> Result<Self> {
        let limit = |rate| Limit::new(rate, ambient.clock.clone());
        Ok(Self {
            sign_in_address: limit(limits.sign_in_address),
            sign_in_account: limit(limits.sign_in_account),
            proof: limit(limits.sign_in_account),
            reset: limit(limits.sign_in_account),
            sign_up_address: limit(limits.sign_up_address),
            failures: Failures::new(ambient.clock.clone()),
            passwords: Passwords::new().await?,
            store,
            ambient,
            sessions,
            resets,
        })
    }

    /// Makes an account and signs in. `source` is where people signed up, for `user.registered`.
    ///
    /// # Errors
    /// `validation_failed`, `email_taken`, `rate_limited`, or those of the store.
    #[instrument(target = SPANS, level = "trace", skip_all)]
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
        let (secret, session, signed_in) = self.begin(&user, caller);
        self.store
            .register(&account, &event, Some((&session, &signed_in)))
            .await?;
        Ok(SignedIn { user, secret })
    }

    /// Signs in: a new session, whatever others there are.
    ///
    /// # Errors
    /// `invalid_credentials`, in the same time and words whether or not the email is known,
    /// `rate_limited`, or those of the store.
    #[instrument(target = SPANS, level = "trace", skip_all)]
    pub async fn sign_in(
        &self,
        email: &str,
        password: String,
        caller: &Caller,
    ) -> Result<SignedIn> {
        let key = account::email_key(email);
        let network = network(caller.ip);
        self.sign_in_address.check(network)?;
        self.sign_in_account.check((&key, network))?;
        let account = self.store.account_by_email(&key).await?;
        let hash = account.as_ref().map(|a| a.password_hash.clone());
        let fits = self.passwords.verify(password, hash).await?;
        match account {
            Some(Account {
                user,
                password_hash,
                ..
            }) if fits => {
                let (secret, session, event) = self.begin(&user, caller);
                self.store
                    .create_session(&session, &password_hash, &event)
                    .await?;
                Ok(SignedIn { user, secret })
            }
            account => {
                // Whoever guesses must not fill the log.
                if self.failures.count(caller.ip) {
                    let user = account.map(|a| a.user.id);
                    let data = seen(user, caller);
                    let event = self.event(EventType::LoginFailed, user, data, trace(caller));
                    self.store.record(&event).await?;
                }
                Err(Code::InvalidCredentials.into())
            }
        }
    }

    /// A session that begins now: its secret, what is kept of it, and the event.
    fn begin(&self, user: &User, caller: &Caller) -> (String, Session, LooseEvent) {
        let secret = secret::session();
        let session = self.sessions.begin(user.id, &secret);
        let data = seen(Some(user.id), caller);
        let event = self.event(EventType::LoggedIn, Some(user.id), data, trace(caller));
        (secret, session, event)
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
        self.store
            .end_session(&session, actor.user.id, everywhere, &event)
            .await
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

/// How an event of somebody who is not signed in yet came about.
fn trace(caller: &Caller) -> Metadata {
    Metadata {
        actor: event::Actor::User,
        traceparent: Some(caller.trace.to_string()),
        ..Metadata::default()
    }
}
