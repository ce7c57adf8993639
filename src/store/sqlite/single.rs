//! Reading single tasks. Those that are asked for while others are read gather, and are read by one
//! statement: to hand it to a connection's thread, and to be woken by that, costs several times what
//! SQLite does for one of them.

use std::time::Duration;

use tidings_domain::id::{TaskId, UserId};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{db, readers::Readers, to_json};
use crate::{
    error::{Error, Result},
    shutdown::Owned,
};

/// Read at once.
const MOST: usize = 64;
/// How long anyone waits, for their turn and for the task.
const PATIENCE: Duration = Duration::from_secs(5);

/// ?1 is a list of pairs of person and task. A line for each that is there: its place in the list, a
/// tab, and the task; JSON has neither tabs nor ends of lines.
pub(super) const TASKS: &str = "\
SELECT group_concat(j.key || char(9) || task, char(10)) FROM jsonb_each(?1) j \
    CROSS JOIN tasks t WHERE t.user_id = j.value->>0 AND t.id = j.value->>1";

/// What is asked for: one person's task.
type Key = (UserId, TaskId);
type Answer = oneshot::Sender<Result<Option<Box<str>>>>;
type Group = Vec<(Key, Answer)>;

/// Reads single tasks.
pub(super) struct Single {
    readers: Readers,
    asked: mpsc::Sender<(Key, Answer)>,
    task: Owned,
}

impl Single {
    /// By these connections. It cancels `failed` where it ends before it is told to.
    pub(super) fn start(readers: Readers, failed: &CancellationToken) -> Self {
        let (asked, waiting) = mpsc::channel(MOST);
        let running = readers.clone();
        let task = Owned::start("reader of tasks", failed, |stop| {
            run(running, waiting, stop)
        });
        Self {
            readers,
            asked,
            task,
        }
    }

    /// The JSON of a task.
    pub(super) async fn task(&self, user: UserId, id: TaskId) -> Result<Option<Box<str>>> {
        let key = (user, id);
        let together = timeout(PATIENCE, async {
            let (answer, found) = oneshot::channel();
            self.asked.send((key, answer)).await.ok()?;
            found.await.ok()
        });
        let late = |_| Error::Unavailable("too many reads are waiting".into());
        match together.await.map_err(late)? {
            Some(found) => found,
            None => {
                let alone = tasks(&self.readers, &[key]).await?;
                Ok(alone.into_iter().next().flatten())
            }
        }
    }

    /// Takes no more.
    pub(super) async fn close(&self) {
        self.task.end().await;
    }
}

async fn run(
    readers: Readers,
    mut waiting: mpsc::Receiver<(Key, Answer)>,
    stop: CancellationToken,
) {
    let mut group: Group = Vec::with_capacity(MOST);
    loop {
        select! {
            biased;
            () = stop.cancelled() => break,
            _ = waiting.recv_many(&mut group, MOST) => {}
        }
        let keys: Vec<Key> = group.iter().map(|(key, _)| *key).collect();
        let found = tasks(&readers, &keys).await;
        let mut found = found.map(Vec::into_iter);
        for (_, answer) in group.drain(..) {
            let found = match &mut found {
                Ok(found) => Ok(found.next().flatten()),
                Err(error) if error.is_passing() => {
                    Err(Error::Unavailable(error.to_string().into()))
                }
                // Whose fault it is shows once each reads alone.
                Err(_) => continue,
            };
            // Whoever waited may have gone away.
            let _ = answer.send(found);
        }
    }
}

/// The JSON of each, where it is there.
async fn tasks(readers: &Readers, keys: &[Key]) -> Result<Vec<Option<Box<str>>>> {
    let lines = sqlx::query_scalar(TASKS).bind(to_json(keys)?);
    let lines: Option<String> = lines.fetch_one(readers).await.map_err(db)?;
    let mut found = vec![None; keys.len()];
    for line in lines.unwrap_or_default().lines() {
        let parts = line.split_once('\t');
        let place = parts.and_then(|(at, task)| {
            let at: usize = at.parse().ok()?;
            Some((found.get_mut(at)?, task))
        });
        let (place, task) = place.ok_or_else(|| Error::internal("a line is no task's"))?;
        *place = Some(task.into());
    }
    Ok(found)
}
