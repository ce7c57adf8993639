//! A new password for somebody who has forgotten theirs: a link by mail, and what it does.

use std::time::Duration;

use tidings_domain::{
    account,
    error::{Fault, FieldError},
    event::EventType,
};
use tokio::time::{Instant, sleep_until};

use super::{Accounts, seen, trace};
use crate::{
    auth::{Caller, rate::network, reset::Claim},
    error::Result,
    store::MailRow,
};

/// How long a link works, in milliseconds: an hour.
const LASTS_MS: i64 = 3_600_000;
/// When whoever asks is answered, whatever there was to do: longer than to write a mail takes.
const ANSWER_AFTER: Duration = Duration::from_millis(500);

impl Accounts {
    /// Sends a link that sets a new password, if there is an account of this email: whether there is,
    /// neither the answer nor its time tells.
    ///
    /// # Errors
    /// `validation_failed` where it is no email, `rate_limited`, or those of the store.
    pub async fn ask_reset(&self, email: &str, caller: &Caller) -> Result<()> {
        let email = account::email(email).map_err(|error| Fault::fields(vec![error]))?;
        let key = account::email_key(&email);
        self.sign_in_address.check(network(caller.ip))?;
        // By whomever: each of them is a mail.
        self.reset.check(&key)?;
        let answer_at = Instant::now() + ANSWER_AFTER;
        let sent = self.send_reset(&key).await;
        sleep_until(answer_at).await;
        sent
    }

    async fn send_reset(&self, email_key: &str) -> Result<()> {
        let Some(account) = self.store.account_by_email(email_key).await? else {
            return Ok(());
        };
        let now = self.ambient.clock.now();
        let (user_id, until) = (account.user.id, now.plus_ms(LASTS_MS));
        let token = self.resets.token(user_id, &account.password_hash, until);
        let mail = MailRow {
            id: self.ambient.ids.next(),
            user_id,
            kind: None,
            task_id: None,
            subject: "Set a new password".into(),
            body: "Somebody, you perhaps, asked for this mail on the sign-in page. Its link sets a new \
                   password, once, within an hour. If it was not you, there is nothing to do: your \
                   password stays."
                .into(),
            link: ["/reset?token=", &token].concat(),
            link_text: "Set a new password",
            created_at: now.0,
        };
        self.store.write_mail(&mail, None).await
    }

    /// Sets a new password by a link. Every session of the person ends.
    ///
    /// # Errors
    /// `validation_failed` on `password`, or on `token` where the link does not work or does not any
    /// more, `rate_limited`, or those of the store.
    pub async fn reset(&self, token: &str, password: String, caller: &Caller) -> Result<()> {
        account::password("password", &password).map_err(|error| Fault::fields(vec![error]))?;
        self.sign_in_address.check(network(caller.ip))?;
        let claim = Claim::read(token).filter(|claim| claim.until > self.ambient.clock.now());
        let claim = claim.ok_or_else(spent)?;
        let account = self.store.account(claim.user_id).await?;
        let account = account.filter(|a| self.resets.is_ours(&claim, &a.password_hash));
        let old = account.ok_or_else(spent)?.password_hash;
        let hash = self.passwords.hash(password).await?;
        let user = claim.user_id;
        let data = seen(Some(user), caller);
        let event = self.event(EventType::PasswordChanged, Some(user), data, trace(caller));
        let set = self.store.set_password(user, &old, &hash, None, &event);
        // The same link may have been used between.
        if set.await? {
            Ok(())
        } else {
            Err(spent().into())
        }
    }
}

/// The link was used, is too old, or never was ours.
fn spent() -> Fault {
    let words = "This link does not work any more. Ask for a new one.";
    Fault::fields(vec![FieldError::new("token", "invalid", words)])
}
