//! How many notifications of a person are unread: what the bell of a tab says.

use tokio::sync::watch;

/// What tabs are told, and when it is news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) count: i64,
    /// The seq of the last notification that was handed out. One for the browser alone is never
    /// unread, and yet there is something to show.
    pub(super) last: i64,
}

/// What one tab is told.
pub struct Bell {
    counts: watch::Receiver<Unread>,
    told: Option<Unread>,
}

impl Bell {
    /// Told of what is counted from now on.
    pub(super) fn new(counts: &watch::Sender<Unread>) -> Self {
        Self {
            counts: counts.subscribe(),
            told: None,
        }
    }

    /// Waits until there is something to tell: how many are unread. Loses nothing when dropped.
    pub async fn rings(&mut self) -> i64 {
        loop {
            if self.counts.changed().await.is_err() {
                // Whoever counts is there as long as the seat is.
                std::future::pending::<()>().await;
            }
            let now = *self.counts.borrow_and_update();
            if self.told.replace(now) != Some(now) {
                return now.count;
            }
        }
    }
}
