//! Passwords: argon2id with the parameters that OWASP recommends, on threads of its own and only so
//! many at once, since each takes 19 MiB and some 20 ms of a core.

use std::{sync::Arc, time::Duration};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use crate::error::{Error, Result};

/// How long a request waits for its turn to hash before it is told to come back later.
const PATIENCE: Duration = Duration::from_secs(5);

/// Hashes and checks passwords.
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of nobody's password, checked for emails that nobody has: it takes the same time.
    decoy: String,
}

impl Passwords {
    /// As many at once as there are cores.
    ///
    /// # Errors
    /// `Internal` where hashing does not work at all.
    pub async fn new() -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut passwords = Self {
            turns: Arc::new(Semaphore::new(cores)),
            decoy: String::new(),
        };
        passwords.decoy = passwords.hash(super::secret::session()).await?;
        Ok(passwords)
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `Unavailable` where too many others wait.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.work(move || {
            let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>());
            let salt = salt.map_err(|e| Error::internal(e.to_string()))?;
            let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string())
                .map_err(|e| Error::internal(e.to_string()))
        })
        .await
    }

    /// Whether a password is the one of the hash; of nobody's hash, where there is none.
    ///
    /// # Errors
    /// `Unavailable` where too many others wait.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.clone());
        self.work(move || {
            let hash = PasswordHash::new(&hash).map_err(|e| Error::internal(e.to_string()))?;
            let fits = Argon2::default().verify_password(password.as_bytes(), &hash);
            Ok(fits.is_ok() && known)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| Error::Unavailable("too many passwords at once".into()))?
            .map_err(Error::internal)?;
        // The turn goes with the job: whoever gives up waiting does not make room for another.
        let done = spawn_blocking(move || {
            let outcome = job();
            drop(turn);
            outcome
        });
        done.await.map_err(Error::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let passwords = Passwords::new().await.unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verify = |word: &str, hash| passwords.verify(word.into(), hash);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("correct hors", Some(hash)).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
    }
}
