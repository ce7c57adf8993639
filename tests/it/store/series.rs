//! Series: what follows on a completed task, once, and goes with it.

use futures_util::future::join_all;
use tidings::store::{Action, Mutation, Outcome, Receipt};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::{Actor, Event, EventType, Metadata},
    id::{EventId, TaskId, UserId},
    series::next_id,
    task::{Priority, RecurFrom, Recurrence, Task},
};
use uuid::Uuid;

use super::kit::{Kit, TestStore, refusal, titled};

const DAY: i64 = 86_400_000;

fn repeat(rule: &str) -> Option<Option<Recurrence>> {
    let rule = rule.to_owned();
    let from = RecurFrom::Due;
    Some(Some(Recurrence { rule, from }))
}

/// Due on the day that the clock shows, and again by the rule.
pub(super) fn daily() -> TaskPatch {
    TaskPatch {
        due_date: Some(Some("2026-11-21".parse().unwrap())),
        recurrence: repeat("FREQ=DAILY"),
        ..titled("Water the plants")
    }
}

fn edit(patch: TaskPatch) -> Command {
    Command::Edit(patch)
}

async fn complete(kit: &Kit, user: UserId, task: TaskId, done: bool) -> Outcome {
    let done = kit.change(user, task, Command::Complete(Some(done)));
    done.await.unwrap()
}

async fn due(kit: &Kit, user: UserId, id: TaskId) -> String {
    let task = kit.store.task(user, id).await.unwrap().unwrap();
    task.due_date.unwrap().to_string()
}

/// What the consumer does when it is told that the task was completed.
pub(super) fn effect(kit: &Kit, user: UserId, of: TaskId, event: u128) -> Mutation {
    Mutation {
        action: Action::Follow(of),
        fingerprint: None,
        metadata: Metadata {
            actor: Actor::Recurring,
            traceparent: Some("00-aa-bb-01".into()),
            ..Metadata::default()
        },
        receipt: Some(Receipt {
            consumer: "recurring",
            event_id: EventId(Uuid::from_u128(event)),
        }),
        ..kit.mutation(user, next_id(of), Command::Delete)
    }
}

async fn told(kit: &Kit, user: UserId, of: TaskId, event: u128) -> Option<Task> {
    let done = kit.store.mutate(effect(kit, user, of, event)).await;
    done.unwrap().task
}

fn types(feed: &[Event]) -> Vec<EventType> {
    feed.iter().map(|event| event.event_type).collect()
}

pub(crate) async fn makes_one_successor_however_often_it_is_told(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let patch = TaskPatch {
        description: Some("All of them".into()),
        priority: Some(Priority::High),
        tags: Some(vec!["home".into()]),
        due_time: Some(Some("18:00".parse().unwrap())),
        remind_at: Some(Some("2026-11-21T16:45:00.000Z".parse().unwrap())),
        ..daily()
    };
    let first = kit.add(ann, patch).await;
    complete(kit, ann, first.id, true).await;
    // The same event again and again, and others of the same completion, at once.
    let events = [7, 7, 8, 7, 9, 8];
    let told = events.map(|event| kit.store.mutate(effect(kit, ann, first.id, event)));
    assert!(join_all(told).await.iter().all(Result::is_ok));
    let feed = kit.feed(ann).await;
    let made = &feed[2];
    assert_eq!((feed.len(), made.event_type), (3, EventType::TaskCreated));
    assert_eq!(made.metadata.actor, Actor::Recurring);
    assert_eq!(made.metadata.traceparent.as_deref(), Some("00-aa-bb-01"));
    let next = kit
        .store
        .task(ann, next_id(first.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(next.id.0, Uuid::new_v5(&first.id.0, b"next"));
    let expected = Task {
        id: next.id,
        due_date: Some("2026-11-22".parse().unwrap()),
        remind_at: Some("2026-11-22T16:45:00.000Z".parse().unwrap()),
        series_id: Some(first.id),
        position: next.position.clone(),
        ..first.clone()
    };
    assert_eq!(next, expected);
    assert_eq!(store.rows("inbox").await, 3);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn looks_again_before_it_makes_a_successor(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let [open, stopped, gone] = [
        kit.add(ann, daily()).await.id,
        kit.add(ann, daily()).await.id,
        kit.add(ann, daily()).await.id,
    ];
    for id in [open, stopped, gone] {
        complete(kit, ann, id, true).await;
    }
    complete(kit, ann, open, false).await;
    let stop = TaskPatch {
        recurrence: Some(None),
        ..TaskPatch::default()
    };
    kit.change(ann, stopped, edit(stop)).await.unwrap();
    kit.change(ann, gone, Command::Delete).await.unwrap();
    kit.change(ann, gone, Command::Purge).await.unwrap();
    let head = kit.store.head(ann).await.unwrap();
    for (event, id) in (1..).zip([open, stopped, gone]) {
        assert_eq!(told(kit, ann, id, event).await, None);
    }
    assert_eq!(kit.store.head(ann).await.unwrap(), head);
    // It was taken in all the same: only another completion makes one.
    assert_eq!(store.rows("inbox").await, 3);
    complete(kit, ann, open, true).await;
    assert_eq!(told(kit, ann, open, 1).await, None);
    assert_eq!(told(kit, ann, open, 4).await.unwrap().version, 1);
    // Somebody else's task of that id is another task.
    let bob = kit.person("bob").await;
    assert_eq!(told(kit, bob, open, 5).await, None);
}

pub(crate) async fn opening_again_takes_an_untouched_successor_back(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = kit.add(ann, daily()).await.id;
    let next = next_id(first);
    complete(kit, ann, first, true).await;
    told(kit, ann, first, 1).await;
    // By any way that opens a task.
    let open = TaskPatch {
        completed: Some(false),
        ..TaskPatch::default()
    };
    let ways = [
        Command::Complete(None),
        edit(open),
        Command::Replace(daily()),
        Command::Restore(Some(1)),
    ];
    for (event, way) in (2..).zip(ways) {
        let done = kit.change(ann, first, way).await.unwrap();
        let head = kit.store.head(ann).await.unwrap();
        assert_eq!((done.seq, done.task.unwrap().completed), (head, false));
        let back = kit.store.task(ann, next).await.unwrap().unwrap();
        assert!(back.deleted_at.is_some());
        let feed = kit.feed(ann).await;
        let [.., opened, deleted] = feed.as_slice() else {
            panic!("two events")
        };
        assert_eq!(opened.event_type, EventType::TaskUpdated);
        assert_eq!(deleted.event_type, EventType::TaskDeleted);
        assert_eq!(deleted.metadata.actor, Actor::Recurring);
        assert_eq!(deleted.metadata.mutation_id, opened.metadata.mutation_id);
        complete(kit, ann, first, true).await;
        let again = told(kit, ann, first, event).await.unwrap();
        assert!(again.is_open());
        assert_eq!(again.version, back.version + 1);
    }
    assert_eq!(kit.store.snapshot(ann).await.unwrap().1.len(), 1);
    // What changed meanwhile holds for what comes back.
    complete(kit, ann, first, false).await;
    let weekly = TaskPatch {
        title: Some("Water the cacti".into()),
        recurrence: repeat("FREQ=WEEKLY"),
        ..TaskPatch::default()
    };
    kit.change(ann, first, edit(weekly)).await.unwrap();
    complete(kit, ann, first, true).await;
    let back = told(kit, ann, first, 9).await.unwrap();
    assert_eq!(back.title, "Water the cacti");
    assert_eq!(due(kit, ann, next).await, "2026-11-28");
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn leaves_alone_what_somebody_touched(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = kit.add(ann, daily()).await.id;
    let next = next_id(first);
    complete(kit, ann, first, true).await;
    told(kit, ann, first, 1).await;
    kit.change(ann, next, edit(titled("Water all plants")))
        .await
        .unwrap();
    complete(kit, ann, first, false).await;
    assert!(kit.store.task(ann, next).await.unwrap().unwrap().is_open());
    complete(kit, ann, first, true).await;
    assert_eq!(told(kit, ann, first, 2).await.unwrap().version, 2);
    // One that somebody deleted stays away, also for good, and whatever is told late.
    kit.change(ann, next, Command::Delete).await.unwrap();
    complete(kit, ann, first, false).await;
    complete(kit, ann, first, true).await;
    assert!(told(kit, ann, first, 3).await.unwrap().deleted_at.is_some());
    kit.change(ann, next, Command::Purge).await.unwrap();
    assert_eq!(told(kit, ann, first, 4).await, None);
    // Where the first stands is still known.
    assert_eq!(store.rows("occurrences").await, 1);
    // An untouched one too.
    let other = kit.add(ann, daily()).await.id;
    complete(kit, ann, other, true).await;
    told(kit, ann, other, 5).await;
    kit.change(ann, next_id(other), Command::Delete)
        .await
        .unwrap();
    let late = told(kit, ann, other, 6).await.unwrap();
    assert_eq!((late.version, late.deleted_at.is_some()), (2, true));
}

pub(crate) async fn makes_anew_what_it_took_back_and_is_gone(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = kit.add(ann, daily()).await.id;
    let next = next_id(first);
    complete(kit, ann, first, true).await;
    told(kit, ann, first, 1).await;
    complete(kit, ann, first, false).await;
    kit.change(ann, next, Command::Purge).await.unwrap();
    assert_eq!(told(kit, ann, first, 2).await, None);
    complete(kit, ann, first, true).await;
    let anew = told(kit, ann, first, 3).await.unwrap();
    assert_eq!((anew.version, anew.series_id), (1, Some(first)));
    assert_eq!(due(kit, ann, next).await, "2026-11-22");
    // In one transaction, or few.
    let all = [
        kit.mutation(ann, first, Command::Complete(Some(false))),
        kit.mutation(ann, next, Command::Purge),
        kit.mutation(ann, first, Command::Complete(Some(true))),
        effect(kit, ann, first, 4),
    ];
    let done = join_all(all.map(|mutation| kit.store.mutate(mutation))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    // The series goes on from it, and takes it back again.
    complete(kit, ann, first, false).await;
    let back = kit.store.task(ann, next).await.unwrap().unwrap();
    assert_eq!((back.version, back.deleted_at.is_some()), (2, true));
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn a_first_task_that_is_moved_moves_no_series(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let moved = |date: &str| {
        edit(TaskPatch {
            due_date: Some(Some(date.parse().unwrap())),
            ..TaskPatch::default()
        })
    };
    let fortnightly = |date: &str| TaskPatch {
        due_date: Some(Some(date.parse().unwrap())),
        recurrence: repeat("FREQ=WEEKLY;INTERVAL=2"),
        ..TaskPatch::default()
    };
    // Made so, or told to repeat later: the date is that of then.
    let made = TaskPatch {
        title: Some("Bins".into()),
        ..fortnightly("2026-12-07")
    };
    let made = kit.add(ann, made).await.id;
    let told_to = kit.add_titled(ann, "Bins").await.id;
    let repeats = edit(fortnightly("2026-12-07"));
    kit.change(ann, told_to, repeats).await.unwrap();
    for (event, id) in (1..).zip([made, told_to]) {
        kit.change(ann, id, moved("2026-12-09")).await.unwrap();
        complete(kit, ann, id, true).await;
        told(kit, ann, id, event).await;
        assert_eq!(due(kit, ann, next_id(id)).await, "2026-12-21");
    }
    // Another rule begins anew, with the date of then.
    let next = next_id(made);
    let weekly = TaskPatch {
        due_date: Some(Some("2026-12-23".parse().unwrap())),
        recurrence: repeat("FREQ=WEEKLY"),
        ..TaskPatch::default()
    };
    kit.change(ann, next, edit(weekly)).await.unwrap();
    kit.change(ann, next, moved("2026-12-25")).await.unwrap();
    complete(kit, ann, next, true).await;
    told(kit, ann, next, 3).await;
    assert_eq!(due(kit, ann, next_id(next)).await, "2026-12-30");
    // One that repeats no more, and then again as before, is where it was.
    let other = next_id(told_to);
    kit.change(ann, other, moved("2026-12-24")).await.unwrap();
    let before = repeat("FREQ=WEEKLY;INTERVAL=2");
    for recurrence in [Some(None), before] {
        let patch = TaskPatch {
            recurrence,
            ..TaskPatch::default()
        };
        kit.change(ann, other, edit(patch)).await.unwrap();
    }
    complete(kit, ann, other, true).await;
    told(kit, ann, other, 4).await;
    assert_eq!(due(kit, ann, next_id(other)).await, "2027-01-04");
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn a_series_outlives_its_first_task(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let patch = TaskPatch {
        due_date: Some(Some("2027-01-31".parse().unwrap())),
        recurrence: repeat("FREQ=MONTHLY;COUNT=4"),
        ..titled("Pay the rent")
    };
    let mut id = kit.add(ann, patch).await.id;
    let series = id;
    let mut dates = Vec::new();
    for event in 1.. {
        complete(kit, ann, id, true).await;
        let Some(next) = told(kit, ann, id, event).await else {
            break;
        };
        kit.change(ann, id, Command::Delete).await.unwrap();
        kit.change(ann, id, Command::Purge).await.unwrap();
        assert_eq!(next.series_id, Some(series));
        dates.push(next.due_date.unwrap().to_string());
        id = next.id;
    }
    assert_eq!(dates, ["2027-02-28", "2027-03-31", "2027-04-30"]);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn skips_an_occurrence(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let skip = |task: TaskId| Mutation {
        action: Action::Skip,
        ..kit.mutation(ann, task, Command::Delete)
    };
    let patch = TaskPatch {
        recurrence: repeat("FREQ=DAILY;COUNT=3"),
        ..daily()
    };
    let task = kit.add(ann, patch).await.id;
    let asked = skip(task);
    let done = kit.store.mutate(asked.clone()).await.unwrap();
    assert_eq!(done.task.unwrap().version, 2);
    assert_eq!(due(kit, ann, task).await, "2026-11-22");
    // A retry is answered as before, also once it is the last.
    kit.store.mutate(skip(task)).await.unwrap();
    let again = kit.store.mutate(asked).await.unwrap();
    assert!(again.replayed);
    assert_eq!(due(kit, ann, task).await, "2026-11-23");
    assert_eq!(refusal(kit.store.mutate(skip(task)).await), Code::Conflict);
    // Nor does anything follow on the last.
    complete(kit, ann, task, true).await;
    assert_eq!(told(kit, ann, task, 1).await, None);
    assert_eq!(refusal(kit.store.mutate(skip(task)).await), Code::Conflict);
    let once = kit.add_titled(ann, "Once").await.id;
    assert_eq!(refusal(kit.store.mutate(skip(once)).await), Code::Conflict);
    kit.change(ann, once, Command::Delete).await.unwrap();
    assert_eq!(refusal(kit.store.mutate(skip(once)).await), Code::NotFound);
    let nobodys = kit.task_id();
    assert_eq!(
        refusal(kit.store.mutate(skip(nobodys)).await),
        Code::NotFound
    );
    // One that was skipped is touched: it stays where its predecessor is opened again.
    let first = kit.add(ann, daily()).await.id;
    complete(kit, ann, first, true).await;
    told(kit, ann, first, 2).await;
    kit.store.mutate(skip(next_id(first))).await.unwrap();
    complete(kit, ann, first, false).await;
    assert_eq!(due(kit, ann, next_id(first)).await, "2026-11-23");
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn does_as_much_in_a_group_as_one_by_one(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let id = kit.task_id();
    let next = next_id(id);
    let command = |task, command| kit.mutation(ann, task, command);
    // All of one person, sent at once and in this order: one transaction or few.
    let all = [
        command(id, Command::Create(daily())),
        command(id, Command::Complete(Some(true))),
        effect(kit, ann, id, 1),
        command(id, Command::Complete(Some(false))),
        command(id, Command::Complete(Some(true))),
        effect(kit, ann, id, 2),
        effect(kit, ann, id, 1),
        command(next, Command::Complete(Some(true))),
        effect(kit, ann, next, 3),
        command(next, Command::Delete),
        command(next, Command::Purge),
        effect(kit, ann, id, 4),
    ];
    let done = join_all(all.map(|mutation| kit.store.mutate(mutation))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    use EventType::{TaskCompleted, TaskCreated, TaskDeleted, TaskRestored, TaskUpdated};
    assert_eq!(
        types(&kit.feed(ann).await),
        [
            TaskCreated,
            TaskCompleted,
            TaskCreated,
            TaskUpdated,
            TaskDeleted,
            TaskCompleted,
            TaskRestored,
            TaskCompleted,
            TaskCreated,
            TaskDeleted,
        ]
    );
    assert_eq!(due(kit, ann, next_id(next)).await, "2026-11-23");
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn completing_late_piles_nothing_up(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let first = kit.add(ann, daily()).await.id;
    kit.clock.advance(10 * DAY);
    complete(kit, ann, first, true).await;
    // The day of completion counts, however late it is told.
    kit.clock.advance(3 * DAY);
    told(kit, ann, first, 1).await;
    assert_eq!(due(kit, ann, next_id(first)).await, "2026-12-02");
    assert_eq!(kit.store.snapshot(ann).await.unwrap().1.len(), 1);
}
