//! What goes wrong between us and the sidecar.

use std::time::Duration;

/// A call that failed, after all its tries.
#[derive(Debug, thiserror::Error)]
#[error("{call} of {component}: {fault}")]
pub struct Error {
    /// Which call.
    pub call: &'static str,
    /// Of which component.
    pub component: String,
    /// What went wrong at last.
    pub fault: Fault,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// There is no connection to the sidecar, or it broke.
    #[error("out of reach: {0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("no answer within {0:?}")]
    Slow(Duration),
    /// It refused, or failed.
    #[error("{status} {code}: {message}")]
    Answered {
        /// The status.
        status: u16,
        /// Dapr's errorCode; empty where it gave none.
        code: String,
        /// Its words.
        message: String,
    },
    /// It answered what is no answer to this call.
    #[error("an answer that cannot be read: {0}")]
    Unreadable(String),
}

impl Fault {
    /// Whether the same call may succeed at once.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Slow(_) => true,
            Self::Answered { status, .. } => matches!(status, 408 | 429 | 500..),
            Self::Unreadable(_) => false,
        }
    }

    /// Whether it was the sidecar that could not be talked to, rather than what is behind it.
    pub fn is_of_sidecar(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// The status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }
}
