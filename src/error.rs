//! What the server's own layers answer when they cannot do what was asked.

use tidings_domain::error::{Code, Fault};

/// A refusal, or a failure with its source. Sources are logged where the error is handled and never
/// leave the process.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request was refused; the words are for the person who made it.
    #[error("{0}")]
    Refused(#[from] Fault),
    /// Something that is needed is out of reach for now.
    #[error("unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A fault of ours.
    #[error("internal: {0}")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What fallible operations of the server return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::Refused(code.into())
    }
}

impl Error {
    /// A fault of ours, from whatever told of it.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
