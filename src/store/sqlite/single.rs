//! Reading single tasks. Those that are asked for while others are read gather, and are read by one
//! statement: to hand it to a connection's thread, and to be woken by that, costs several times what
//! SQLite does for one of them.

use tidings_domain::id::{TaskId, UserId};
use tokio::sync::{mpsc, oneshot};

use super::{db, readers::Readers, to_json};
use crate::error::{Error, Result};

/// Read at once.
const MOST: usize = 64;

/// ?1 is a list of pairs of person and task. A line for each that is there: its place in the list, a
/// tab, and the task; JSON has neither tabs nor ends of lines.
pub(super) const TASKS: &str = "\
SELECT group_concat(j.key || char(9) || task, char(10)) FROM jsonb_each(?1) j \
    CROSS JOIN tasks t WHERE t.user_id = j.value->>0 AND t.id = j.value->>1";

/// What is asked for: one person's task.
type Key = (UserId, TaskId);
type Answer = oneshot::Sender<Option<Box<str>>>;

/// Reads single tasks.
pub(super) struct Single {
    readers: Readers,
    asked: mpsc::Sender<(Key, Answer)>,
}

impl Single {
    /// By these connections.
    pub(super) fn start(readers: Readers) -> Self {
        let (asked, mut waiting) = mpsc::channel(MOST);
        let gathering = readers.clone();
        tokio::spawn(async move {
            let mut group: Vec<(Key, Answer)> = Vec::with_capacity(MOST);
            while waiting.recv_many(&mut group, MOST).await > 0 {
                let keys: Vec<Key> = group.iter().map(|(key, _)| *key).collect();
                // Where it fails the answers are dropped, and whoever waits for one reads alone.
                if let Ok(found) = tasks(&gathering, &keys).await {
                    for ((_, answer), found) in group.drain(..).zip(found) {
                        // Whoever waited may have gone away.
                        let _ = answer.send(found);
                    }
                }
                group.clear();
            }
        });
        Self { readers, asked }
    }

    /// The JSON of a task.
    pub(super) async fn task(&self, user: UserId, id: TaskId) -> Result<Option<Box<str>>> {
        let key = (user, id);
        let (answer, found) = oneshot::channel();
        if self.asked.send((key, answer)).await.is_ok()
            && let Ok(found) = found.await
        {
            return Ok(found);
        }
        let alone = tasks(&self.readers, &[key]).await?;
        Ok(alone.into_iter().next().flatten())
    }
}

/// The JSON of each, where it is there.
async fn tasks(readers: &Readers, keys: &[Key]) -> Result<Vec<Option<Box<str>>>> {
    let lines = sqlx::query_scalar(TASKS).bind(to_json(keys)?);
    let lines: Option<String> = lines.fetch_one(readers).await.map_err(db)?;
    let mut found = vec![None; keys.len()];
    for line in lines.unwrap_or_default().lines() {
        let parts = line.split_once('\t');
        let place = parts.and_then(|(at, task)| Some((at.parse::<usize>().ok()?, task)));
        let place = place.and_then(|(at, task)| Some((found.get_mut(at)?, task)));
        let (place, task) = place.ok_or_else(|| Error::internal("a line is no task's"))?;
        *place = Some(task.into());
    }
    Ok(found)
}
