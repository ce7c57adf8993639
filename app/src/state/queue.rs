//! The line of changes that wait to be sent: how it outlives the page, which go next, and what a
//! failure means for one.
//!
//! Each tab keeps its own line, under a key of its own, so that no two write the same. A tab that
//! finds the line of one that is gone takes it over. Should two send the same change, its mutation
//! id makes it one.

use tidings_domain::{
    error::Code,
    id::{MutationId, TaskId, UserId},
    replica::Pending,
    sorted::SortedMap,
};
use uuid::Uuid;

use crate::json::{self, Json, ToJson};

/// The beginning of the key of every line of a person.
pub fn prefix(user: UserId) -> String {
    format!("tidings.queue.{user}.")
}

/// The key of a tab's line.
pub fn key(user: UserId, tab: Uuid) -> String {
    format!("{}{tab}", prefix(user))
}

/// The line as it is kept. What the server has taken is not: a page loaded anew comes with it.
/// `None` where nothing waits.
pub fn write(pending: &[Pending]) -> Option<String> {
    let waiting = pending.iter().filter(|p| p.seq.is_none());
    let line: Vec<_> = waiting.map(Pending::write).collect();
    (!line.is_empty()).then(|| Json::list(line).print())
}

/// The line as it was kept, in order; nothing where it cannot be read.
pub fn read(text: &str) -> Vec<Pending> {
    json::read(text).unwrap_or_default()
}

/// The next changes to send, so that at most `most` are on their way: in order, and of each task
/// only one at a time.
pub fn next(
    pending: &[Pending],
    on_their_way: &SortedMap<MutationId, TaskId>,
    most: usize,
) -> Vec<Pending> {
    let mut busy: Vec<TaskId> = on_their_way.values().copied().collect();
    let mut next = Vec::new();
    for change in pending {
        if busy.len() >= most {
            break;
        }
        if change.seq.is_none() && !busy.contains(&change.task_id) {
            busy.push(change.task_id);
            next.push(change.clone());
        }
    }
    next
}

/// What a failure means for the change that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It will never be taken.
    Refused,
    /// It waits until the person has signed in again.
    SignIn,
    /// It is sent again later.
    Again,
}

/// Tries after which a fault of the server's own counts as a refusal, so that one change cannot
/// hold up all others for ever.
const TRIES: u32 = 6;

/// Judges the failure of the change that was tried `tries` times before.
pub fn verdict(code: Code, tries: u32) -> Verdict {
    match code {
        Code::Unauthenticated => Verdict::SignIn,
        Code::Unavailable | Code::RateLimited => Verdict::Again,
        Code::Internal if tries < TRIES => Verdict::Again,
        _ => Verdict::Refused,
    }
}

#[cfg(test)]
mod tests {
    use tidings_domain::command::Command;

    use super::*;

    fn change(n: u128, task: u128, seq: Option<i64>) -> Pending {
        Pending {
            mutation_id: MutationId(Uuid::from_u128(n)),
            task_id: TaskId(Uuid::from_u128(task)),
            command: Command::Complete(Some(true)),
            seq,
        }
    }

    #[test]
    fn what_waits_outlives_the_page_in_order() {
        let line = [
            change(1, 1, Some(4)),
            change(2, 1, None),
            change(3, 2, None),
        ];
        let kept = write(&line).unwrap();
        assert_eq!(read(&kept), line[1..]);
        assert_eq!(write(&line[..1]), None);
        assert!(read("{").is_empty());
    }

    #[test]
    fn changes_of_one_task_go_one_by_one() {
        let line = [
            change(1, 1, None),
            change(2, 1, None),
            change(3, 2, None),
            change(4, 3, None),
        ];
        let ids = |changes: Vec<Pending>| {
            changes
                .iter()
                .map(|c| c.mutation_id.0.as_u128())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(next(&line, &SortedMap::default(), 2)), [1, 3]);
        let busy = [(line[0].mutation_id, line[0].task_id)]
            .into_iter()
            .collect();
        assert_eq!(ids(next(&line, &busy, 4)), [3, 4]);
    }

    #[test]
    fn only_what_may_pass_is_tried_again_for_ever() {
        assert_eq!(verdict(Code::Unavailable, u32::MAX), Verdict::Again);
        assert_eq!(verdict(Code::RateLimited, u32::MAX), Verdict::Again);
        assert_eq!(verdict(Code::Internal, 0), Verdict::Again);
        assert_eq!(verdict(Code::Internal, TRIES), Verdict::Refused);
        assert_eq!(verdict(Code::NotFound, 0), Verdict::Refused);
        assert_eq!(verdict(Code::Unauthenticated, 0), Verdict::SignIn);
    }
}
