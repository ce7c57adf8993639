//! Many mutations at once: they share transactions, and nobody can tell.

use std::{collections::HashSet, time::Duration};

use tidings::store::Mutation;
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::EventType,
    id::UserId,
};
use tokio::task::JoinSet;

use super::kit::{TestStore, refusal, titled};

pub(crate) async fn commits_many_at_once(store: impl TestStore) {
    let kit = store.kit();
    let mut people = Vec::new();
    for n in 0..6 {
        people.push(kit.person(&format!("p{n}")).await);
    }
    let mut tasks = JoinSet::new();
    for n in 0..600 {
        let user = people[n % people.len()];
        let mutation = kit.mutation(
            user,
            kit.task_id(),
            Command::Create(titled(&format!("t{n}"))),
        );
        let store = kit.store.clone();
        tasks.spawn(async move { (user, store.mutate(mutation).await.unwrap()) });
    }
    let mut answered: HashSet<(UserId, i64)> = HashSet::new();
    while let Some(done) = tasks.join_next().await {
        let (user, outcome) = done.unwrap();
        assert!(
            answered.insert((user, outcome.seq)),
            "a seq was given twice"
        );
    }
    for user in people {
        assert_eq!(kit.feed(user).await.len(), 100);
        let (_, open) = kit.store.snapshot(user).await.unwrap();
        let positions: HashSet<_> = open.iter().map(|t| t.position.as_str()).collect();
        assert_eq!(
            positions.len(),
            100,
            "two tasks of a group went to one place"
        );
    }
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn refuses_one_of_a_group_alone(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let id = kit.task_id();
    // Whichever comes first wins; the others are refused, and all of their neighbours are served.
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let id = if n % 2 == 0 { id } else { kit.task_id() };
        let mutation = kit.mutation(ann, id, Command::Create(titled(&format!("t{n}"))));
        let store = kit.store.clone();
        tasks.spawn(async move { store.mutate(mutation).await });
    }
    let (mut made, mut refused) = (0, 0);
    while let Some(done) = tasks.join_next().await {
        match done.unwrap() {
            Ok(_) => made += 1,
            refusal_of => {
                assert_eq!(refusal(refusal_of), Code::Conflict);
                refused += 1;
            }
        }
    }
    assert_eq!((made, refused), (21, 19));
    assert_eq!(kit.feed(ann).await.len(), 21);
}

pub(crate) async fn another_write_that_fails_fails_alone(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mut creates = JoinSet::new();
    let mut twins = JoinSet::new();
    let mut others = JoinSet::new();
    for n in 0..60 {
        let store = kit.store.clone();
        let name = format!("p{n}");
        let name = if n % 6 == 3 { "ANN" } else { &name };
        if n % 3 == 0 {
            let account = kit.account(name, "UTC");
            let event = kit.loose(EventType::UserRegistered, Some(account.user.id));
            let registers = async move { store.register(&account, &event, None).await };
            match name {
                "ANN" => twins.spawn(registers),
                _ => others.spawn(registers),
            };
        } else {
            let create = Command::Create(titled(&format!("t{n}")));
            let mutation = kit.mutation(ann, kit.task_id(), create);
            creates.spawn(async move { store.mutate(mutation).await.unwrap().seq });
        }
    }
    while let Some(done) = twins.join_next().await {
        assert_eq!(refusal(done.unwrap()), Code::EmailTaken);
    }
    assert!(others.join_all().await.iter().all(Result::is_ok));
    let mut answered = creates.join_all().await;
    answered.sort_unstable();
    assert_eq!(answered, (1..=40).collect::<Vec<i64>>());
    let feed = kit.feed(ann).await;
    let feed: Vec<_> = feed.iter().map(|event| event.seq).collect();
    assert_eq!(feed, (1..=40).map(Some).collect::<Vec<_>>());
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn does_nothing_twice_in_a_group(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Buy milk").await;
    let toggle = kit.mutation(ann, task.id, Command::Complete(None));
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let (store, toggle) = (kit.store.clone(), toggle.clone());
        tasks.spawn(async move { store.mutate(toggle).await.unwrap() });
    }
    let mut first = 0;
    while let Some(done) = tasks.join_next().await {
        let outcome = done.unwrap();
        assert_eq!((outcome.seq, outcome.task.unwrap().completed), (2, true));
        first += usize::from(!outcome.replayed);
    }
    assert_eq!(first, 1);
    assert_eq!(kit.feed(ann).await.len(), 2);
}

pub(crate) async fn sees_earlier_ones_of_a_group(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let id = kit.task_id();
    let commands = [
        Command::Create(titled("One")),
        Command::Edit(titled("Two")),
        Command::Delete,
        Command::Restore(Some(1)),
        Command::Delete,
        Command::Purge,
        Command::Create(titled("Anew")),
        Command::Edit(TaskPatch {
            completed: Some(true),
            ..TaskPatch::default()
        }),
    ];
    // Polled in order and without a pause, they enter the queue as one group.
    let futures: Vec<_> = commands
        .into_iter()
        .map(|command| kit.change(ann, id, command))
        .collect();
    let outcomes = futures_util::future::join_all(futures).await;
    let titles: Vec<_> = outcomes
        .into_iter()
        .map(|o| o.unwrap().task.map(|t| t.title))
        .collect();
    let some = |title: &str| Some(title.to_owned());
    let expected = [
        some("One"),
        some("Two"),
        some("Two"),
        some("One"),
        some("One"),
        None,
        some("Anew"),
        some("Anew"),
    ];
    assert_eq!(titles, expected);
    let feed = kit.feed(ann).await;
    let contents: Vec<_> = feed.iter().map(|e| e.task_data.is_some()).collect();
    assert_eq!(
        contents,
        [false, false, false, false, false, false, true, true]
    );
    let history = kit.store.history(ann, id, 0, 10).await.unwrap();
    assert_eq!(history.iter().map(|e| e.seq).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn survives_callers_that_go_away(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mutations: Vec<Mutation> = (0..200)
        .map(|n| {
            kit.mutation(
                ann,
                kit.task_id(),
                Command::Create(titled(&format!("t{n}"))),
            )
        })
        .collect();
    for (n, mutation) in mutations.iter().enumerate() {
        let call = kit.store.mutate(mutation.clone());
        // From not at all to a good while.
        let patience = Duration::from_micros(20 * (n as u64 % 40));
        let _ = tokio::time::timeout(patience, call).await;
        if n % 10 == 0 {
            let read = kit.store.snapshot(ann);
            let _ = tokio::time::timeout(patience, read).await;
        }
    }
    // Whatever became of them, retried they are there once.
    for mutation in &mutations {
        let done = kit.store.mutate(mutation.clone()).await.unwrap();
        assert_eq!(done.task.unwrap().id, mutation.task_id);
    }
    assert_eq!(kit.feed(ann).await.len(), 200);
    assert_eq!(kit.store.snapshot(ann).await.unwrap().1.len(), 200);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn comes_back_whole(mut store: impl TestStore) {
    let ann = store.kit().person("ann").await;
    let epoch = store.kit().store.epoch();
    let mut tasks = JoinSet::new();
    for n in 0..50 {
        let kit = store.kit();
        let mutation = kit.mutation(
            ann,
            kit.task_id(),
            Command::Create(titled(&format!("t{n}"))),
        );
        let store = kit.store.clone();
        tasks.spawn(async move { store.mutate(mutation).await.unwrap() });
    }
    tasks.join_all().await;
    let before = store.kit().store.snapshot(ann).await.unwrap();
    store.reopen().await;
    let kit = store.kit();
    assert_eq!(kit.store.epoch(), epoch);
    assert_eq!(kit.store.snapshot(ann).await.unwrap(), before);
    assert_eq!(kit.add_titled(ann, "One more").await.version, 1);
    assert_eq!(kit.store.head(ann).await.unwrap(), 51);
    assert_eq!(store.faults().await, Vec::<String>::new());
}
