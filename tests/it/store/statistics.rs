//! What is counted of tasks: from events alone, whatever their order and however often they come.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tidings::{
    consumers::{Consumer, Delivery, analytics::Analytics},
    error::Error,
};
use tidings_domain::{
    command::{Command, TaskPatch},
    decide::apply,
    event::{Event, EventType},
    id::{TaskId, UserId},
    statistics::{Counted, QUARTER_MS},
    task::{Priority, Task},
    time::Timestamp,
};

use super::{
    kit::{Kit, NOON, TestStore, titled},
    random::Random,
};

const HOUR: i64 = 3_600_000;

/// The consumer over this store.
pub(crate) fn analytics(kit: &Kit) -> Analytics {
    Analytics::new(kit.store.clone())
}

/// The feed as it lies in the log now, for consumers.
pub(crate) async fn deliveries(kit: &Kit, user: UserId) -> Vec<Delivery> {
    let (_, events) = kit.store.events(user, 0, 1_000_000).await.unwrap();
    let read = |event: tidings::store::StoredEvent| Delivery::read(event.json).unwrap();
    events.into_iter().map(read).collect()
}

/// What is counted, in an order of its own.
pub(crate) async fn counted(kit: &Kit, user: UserId) -> Counted {
    let counted = kit.store.counted(user, Timestamp(0)).await.unwrap();
    sorted(counted)
}

fn sorted(mut counted: Counted) -> Counted {
    counted.created.sort_unstable();
    counted.completed.sort_unstable();
    counted
}

/// What should be counted: told from the tasks that the log folds to.
pub(crate) async fn expected(kit: &Kit, user: UserId) -> Counted {
    let mut tasks: BTreeMap<TaskId, Task> = BTreeMap::new();
    for event in kit.feed(user).await {
        apply(&mut tasks, event);
    }
    let kept: Vec<_> = tasks
        .into_values()
        .filter(|t| t.deleted_at.is_none())
        .collect();
    let (mut created, mut completed) = (BTreeMap::new(), BTreeMap::new());
    let (mut tags, mut ever) = (HashMap::new(), BTreeMap::new());
    let mut took = Vec::new();
    for task in &kept {
        let made: &mut (u32, u32) = created.entry(task.created_at.0 / QUARTER_MS).or_default();
        made.0 += 1;
        let Some(at) = task.completed_at else {
            continue;
        };
        made.1 += 1;
        let quarter = at.0 / QUARTER_MS;
        *completed.entry((quarter, task.priority)).or_default() += 1;
        *ever.entry(quarter).or_default() += 1;
        for tag in &task.tags {
            *tags.entry(tag.clone()).or_default() += 1;
        }
        took.push((at.0 - task.created_at.0) / 60_000);
    }
    took.sort_unstable();
    let middle = |n: usize| (took[(n - 1) / 2] + took[n / 2]) / 2;
    let mut tags: Vec<(String, u32)> = tags.into_iter().collect();
    tags.sort_unstable_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    Counted {
        created: created
            .into_iter()
            .map(|(at, (made, done))| (at, made, done))
            .collect(),
        completed: completed
            .into_iter()
            .map(|((at, of), n)| (at, of, n))
            .collect(),
        median_minutes: (!took.is_empty()).then(|| middle(took.len())),
        tags,
        ever: ever.into_iter().rev().collect(),
    }
}

/// A random history of a person, over days; every event as it was when it was made.
pub(crate) async fn live(
    kit: &Kit,
    user: UserId,
    random: &mut Random,
    rounds: usize,
) -> Vec<Delivery> {
    let tasks: Vec<TaskId> = (0..10).map(|_| kit.task_id()).collect();
    let mut told = Vec::new();
    for _ in 0..rounds {
        kit.clock.advance(random.below(100) as i64 * 60_000);
        let task = tasks[random.below(tasks.len())];
        let done = kit.change(user, task, random.command()).await;
        assert!(matches!(done, Ok(_) | Err(Error::Refused(_))));
        let (_, events) = kit
            .store
            .events(user, told.len() as i64, 100)
            .await
            .unwrap();
        told.extend(
            events
                .into_iter()
                .map(|event| Delivery::read(event.json).unwrap()),
        );
    }
    told
}

pub(crate) async fn count_what_is_there(store: impl TestStore) {
    let kit = store.kit();
    let analytics = analytics(kit);
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut seen = 0;
    let mut handle = async || {
        let all = deliveries(kit, ann).await;
        analytics.handle(&all[seen..]).await.unwrap();
        seen = all.len();
        counted(kit, ann).await
    };
    let patch = TaskPatch {
        priority: Some(Priority::High),
        tags: Some(vec!["home".into()]),
        ..titled("Paint the door")
    };
    let task = kit.add(ann, patch).await.id;
    let done = TaskPatch {
        completed: Some(true),
        ..titled("Done at once")
    };
    let other = kit.add(ann, done).await.id;
    let noon = NOON.0 / QUARTER_MS;
    let now = handle().await;
    assert_eq!(
        (&*now.created, now.median_minutes),
        (&[(noon, 2, 1)][..], Some(0))
    );
    assert_eq!(now.completed, [(noon, Priority::None, 1)]);
    // What is done is done then; the median of two is the mean of both.
    let complete = |done| Command::Complete(Some(done));
    kit.clock.advance(2 * HOUR);
    kit.change(ann, task, complete(true)).await.unwrap();
    let now = handle().await;
    assert_eq!(now.ever, [(noon + 8, 1), (noon, 1)]);
    assert_eq!(
        (now.median_minutes, &*now.tags),
        (Some(60), &[("home".to_owned(), 1)][..])
    );
    // Taken back it is not; done again, it is done once, at the later time.
    kit.change(ann, task, complete(false)).await.unwrap();
    assert_eq!(handle().await.ever, [(noon, 1)]);
    kit.clock.advance(HOUR);
    kit.change(ann, task, complete(true)).await.unwrap();
    let now = handle().await;
    assert_eq!(
        now.completed,
        [(noon, Priority::None, 1), (noon + 12, Priority::High, 1)]
    );
    assert_eq!(now.median_minutes, Some(90));
    // Since then alone.
    let since = kit.store.counted(ann, NOON.plus_ms(HOUR)).await.unwrap();
    assert_eq!(
        (&*since.created, since.median_minutes),
        (&[][..], Some(180))
    );
    assert_eq!((since.completed.len(), since.ever.len()), (1, 2));
    // In the trash it does not count, out of it it does; gone for good, it never was.
    kit.change(ann, task, Command::Delete).await.unwrap();
    let now = handle().await;
    assert_eq!((&*now.created, now.tags.len()), (&[(noon, 1, 1)][..], 0));
    kit.change(ann, task, Command::Restore(None)).await.unwrap();
    assert_eq!(handle().await.created, [(noon, 2, 2)]);
    for task in [task, other] {
        kit.change(ann, task, Command::Delete).await.unwrap();
        kit.change(ann, task, Command::Purge).await.unwrap();
    }
    assert_eq!(handle().await, Counted::default());
    assert_eq!(counted(kit, bob).await, Counted::default());
    // Every event is in the inbox, and nobody's tags are left.
    let all = seen as i64;
    assert_eq!(store.rows("inbox WHERE consumer = 'analytics'").await, all);
    assert_eq!(store.rows("statistics WHERE tags IS NOT NULL").await, 0);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn end_the_same_in_any_order<S: TestStore>(store: S) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mut random = Random::new(11);
    let told = live(kit, ann, &mut random, 500).await;
    let kept = deliveries(kit, ann).await;
    assert!(
        told.len() > 100 && told != kept,
        "something was deleted for good"
    );
    let expected = expected(kit, ann).await;
    assert!(expected.completed.len() > 1 && expected.tags.len() > 1);
    let account = kit.store.account(ann).await.unwrap().unwrap();
    for seed in 0..4 {
        let elsewhere = S::new().await;
        let there = elsewhere.kit();
        let event = there.loose(EventType::UserRegistered, Some(ann));
        there.store.register(&account, &event, None).await.unwrap();
        // Each once at least, as it was sent or as the log has it by now; then shuffled.
        let mut random = Random::new(seed);
        let mut all: Vec<_> = (0..told.len())
            .flat_map(|n| {
                let either = [&told[n], &kept[n]];
                let times = 1 + random.below(3);
                let sent: Vec<_> = (0..times)
                    .map(|_| either[random.below(2)].clone())
                    .collect();
                sent
            })
            .collect();
        for n in (1..all.len()).rev() {
            all.swap(n, random.below(n + 1));
        }
        let analytics = analytics(there);
        let mut rest = &all[..];
        while !rest.is_empty() {
            let (batch, others) = rest.split_at(rest.len().min(1 + random.below(20)));
            analytics.handle(batch).await.unwrap();
            rest = others;
        }
        assert_eq!(counted(there, ann).await, expected, "seed {seed}");
    }
}

pub(crate) async fn go_with_their_person(store: impl TestStore) {
    let kit = store.kit();
    let analytics = Arc::new(analytics(kit));
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "Buy milk").await;
    let all = deliveries(kit, ann).await;
    analytics.handle(&all).await.unwrap();
    assert_eq!(store.rows("statistics").await, 1);
    kit.add_titled(ann, "Call home").await;
    let late = deliveries(kit, ann).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    assert_eq!(store.rows("statistics").await, 0);
    analytics.handle(&late).await.unwrap();
    assert_eq!(store.rows("statistics").await, 0);
    // What is of no task is taken in, and counts for nothing; what cannot be read is refused.
    let mut event: Event = serde_json::from_str(&late[0].json).unwrap();
    (event.event_type, event.task_data) = (EventType::Unknown, None);
    let json = serde_json::to_string(&event).unwrap();
    analytics
        .handle(&[Delivery::read(json.into()).unwrap()])
        .await
        .unwrap();
    let bad = late[0]
        .json
        .replace("\"priority\":\"none\"", "\"priority\":\"lots\"");
    let bad = Delivery::read(bad.into()).unwrap();
    assert!(matches!(
        analytics.handle(&[bad]).await,
        Err(Error::Refused(_))
    ));
}
