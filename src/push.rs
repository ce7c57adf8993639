//! Web Push: what a person wants from the browser goes to the push services of their browsers too, so
//! that it shows with every tab closed. An owned task empties the table of what is to be sent.

pub mod encrypt;
mod hosts;
mod reach;
mod sender;
pub mod vapid;

use std::sync::Arc;

use p256::SecretKey;

use self::vapid::Vapid;
use crate::{config::Config, error::Result, store::Pushes};

pub use self::{reach::Reach, sender::Sender};

/// Who signs what is sent: with the key of the database, made the first time.
///
/// # Errors
/// Those of the store, or internal where its key is none.
pub async fn signer(pushes: &dyn Pushes, config: &Config) -> Result<Arc<Vapid>> {
    let key = pushes.push_key(&Vapid::fresh()).await?;
    let by_mail = config.smtp.as_ref();
    let by_mail = by_mail.map(|smtp| format!("mailto:{}", smtp.from.email));
    let by_web = config.public_url.as_ref().map(ToString::to_string);
    let by_web = by_web.filter(|url| url.starts_with("https:"));
    Vapid::new(&key, by_mail.or(by_web)).map(Arc::new)
}

/// A new private key.
fn random_key() -> SecretKey {
    loop {
        // All but one in 2^32 of such numbers are keys.
        if let Ok(key) = SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
            return key;
        }
    }
}
