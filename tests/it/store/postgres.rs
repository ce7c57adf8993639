//! What is PostgreSQL's own: other processes on the same database.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use futures_util::future::{join, join_all};
use sqlx::{Connection, Executor};
use tidings::{
    clock::Ambient,
    store::{AuditEntry, PostgresStore, Settled, SharedStore, Store, TaskQuery, Token},
};
use tidings_domain::{
    command::{Command, IfMatch},
    error::Code,
    event::{Actor, EventType},
    id::{EventId, TaskId, UserId},
    time::TzDatabase,
    view::{Here, View},
};
use uuid::Uuid;

use super::{
    kit::{Broken, Commits, Kit, NOON, Postgres, TestStore, refusal, titled},
    series::{daily, effect},
};
use crate::postgres::cluster;

/// Two processes on one database.
async fn two() -> [Postgres; 2] {
    let one = Postgres::new().await;
    let clock = one.kit().clock.clone();
    let two = Postgres::open(one.url().to_owned(), clock).await;
    [one, two]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrates_once_however_many_start() {
    let url = cluster().await.empty_database().await;
    let starts = (0..4).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            let commits = Arc::new(Commits::default());
            let store = PostgresStore::open(&url, Ambient::default(), commits).await;
            Arc::new(store.unwrap()) as SharedStore
        })
    });
    let mut epochs = HashSet::new();
    for store in join_all(starts).await {
        epochs.insert(store.unwrap().epoch());
    }
    assert_eq!(epochs.len(), 1);
}

#[tokio::test]
async fn tells_that_one_of_its_tasks_failed() {
    let store = Postgres::new().await;
    let ambient = Ambient {
        clock: Arc::new(Broken),
        ..Ambient::default()
    };
    let broken = PostgresStore::open(store.url(), ambient, Arc::new(Commits::default())).await;
    let broken = broken.unwrap();
    // One looks for what is kept no longer.
    broken.failed().cancelled().await;
    broken.close().await;
    assert!(!store.kit().store.failed().is_cancelled());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_want_the_same_one_gets_it() {
    let two = two().await;
    let ann = two[0].kit().person("ann").await;
    let event = two[0].kit().loose(EventType::PasswordChanged, Some(ann));
    for round in 0..10 {
        let [one, other] = two.each_ref().map(|store| store.kit());
        let names = [2 * round, 2 * round + 1].map(|n| format!("$argon2id${n}"));
        let old = one.store.account(ann).await.unwrap().unwrap().password_hash;
        let [first, second] = names.each_ref();
        let set = join(
            one.store.set_password(ann, &old, first, None, &event),
            other.store.set_password(ann, &old, second, None, &event),
        );
        let (a, b) = set.await;
        assert!(a.unwrap() != b.unwrap());
        let token = || Token {
            id: Uuid::now_v7(),
            name: "Phone".into(),
            created_at: NOON,
        };
        let (tokens, max) = ([token(), token()], round + 1);
        let hashes = [2 * round, 2 * round + 1].map(|n| [n as u8; 32]);
        let made = join(
            one.store
                .create_token(ann, &tokens[0], &hashes[0], max, &event),
            other
                .store
                .create_token(ann, &tokens[1], &hashes[1], max, &event),
        );
        let (a, b) = made.await;
        assert!(a.unwrap() != b.unwrap());
    }
}

/// Adds one to the number that a task's title is, unless somebody did so since it was read; so often.
async fn count_up(kit: &Kit, user: UserId, task: TaskId, times: usize) {
    let mut done = 0;
    while done < times {
        let read = kit.store.task(user, task).await.unwrap().unwrap();
        let next = read.title.parse::<usize>().unwrap() + 1;
        let edit = Command::Edit(titled(&next.to_string()));
        let mut mutation = kit.mutation(user, task, edit);
        mutation.if_match = Some(IfMatch::Version(read.version));
        match kit.store.mutate(mutation).await {
            Ok(_) => done += 1,
            refused => assert_eq!(refusal(refused), Code::VersionMismatch),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_nothing_that_another_process_writes() {
    const EACH: usize = 40;
    let stores = two().await;
    let [one, two] = stores.each_ref().map(TestStore::kit);
    let ann = one.person("ann").await;
    let task = one.add_titled(ann, "0").await.id;
    let counting = [one, two, one, two].map(|kit| count_up(kit, ann, task, EACH));
    // Meanwhile the feed grows from both sides, and each mutation is sent to both at once.
    let twice = (0..EACH).map(|n| {
        let create = Command::Create(titled(&format!("Task {n}")));
        let mutation = one.mutation(ann, one.task_id(), create);
        join(
            one.store.mutate(mutation.clone()),
            two.store.mutate(mutation),
        )
    });
    let (_, twice) = join(join_all(counting), join_all(twice)).await;
    for (first, second) in twice {
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!((first.seq, first.task), (second.seq, second.task));
        assert!(first.replayed != second.replayed, "one of both did it");
    }
    let counted = one.store.task(ann, task).await.unwrap().unwrap();
    assert_eq!(counted.title, (4 * EACH).to_string());
    assert_eq!(counted.version as usize, 4 * EACH + 1);
    assert_eq!(two.feed(ann).await.len(), 5 * EACH + 1);
    assert_eq!(stores[0].faults().await, Vec::<String>::new());
}

#[tokio::test]
async fn carries_a_group_out_anew_after_a_deadlock() {
    let store = Postgres::new().await;
    let kit = store.kit();
    // Two people of one writer: it locks the first, then waits for the second.
    let mut people: Vec<UserId> = Vec::new();
    while people.len() < 2 {
        let user = kit.person(&format!("p{}", Uuid::now_v7())).await;
        if people
            .iter()
            .all(|p| p.0.as_u128() % 4 == user.0.as_u128() % 4)
        {
            people.push(user);
        }
    }
    let mut other = store.other().await;
    let mut other = other.begin().await.unwrap();
    let lock =
        |user: UserId| sqlx::query("SELECT FROM feeds WHERE user_id = $1 FOR UPDATE").bind(user.0);
    lock(people[1]).execute(&mut *other).await.unwrap();
    let calls = people.iter().map(|user| {
        let create = Command::Create(titled("Task"));
        kit.change(*user, kit.task_id(), create)
    });
    let crossing = async {
        // Until the writer waits.
        let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity \
                     WHERE datname = current_database() AND wait_event_type = 'Lock')";
        let mut watch = store.other().await;
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut watch)
            .await
            .unwrap()
        {}
        // The server undoes the writer's transaction; or this one, and then it need not go on.
        let _ = lock(people[0]).execute(&mut *other).await;
        other.rollback().await.unwrap();
    };
    let (outcomes, ()) = join(join_all(calls), crossing).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap().seq, 1);
    }
}

#[tokio::test]
async fn goes_on_over_new_connections() {
    let store = Postgres::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    kit.add_titled(ann, "One").await;
    let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    store.other().await.execute(cut).await.unwrap();
    // The writer tries anew, since nothing had begun.
    kit.add_titled(ann, "Two").await;
    // Whoever reads is told to.
    let mut told = 0;
    while let Err(error) = kit.store.head(ann).await {
        assert!(error.is_passing());
        told += 1;
    }
    assert!(told <= 8, "no more often than there were connections");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_a_pair_to_one_of_two() {
    let stores = two().await;
    let [one, two] = stores.each_ref().map(TestStore::kit);
    let people: Vec<_> = (0..8).map(|n| format!("p{n}")).collect();
    let people = join_all(people.iter().map(|name| one.person(name))).await;
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let claim = |kit: &Kit, holder| {
        let store = kit.store.clone();
        async move {
            let rows = store.claim(holder, NOON, NOON.plus_ms(30_000), 7).await;
            rows.unwrap()
        }
    };
    for _ in 0..20 {
        join_all(people.iter().map(|user| one.add_titled(*user, "Task"))).await;
        let (a, b) = join(claim(one, first), claim(two, second)).await;
        let pairs = |rows: &[tidings::store::OutboxRow]| {
            let pairs = rows.iter().map(|row| (row.topic, row.user_id));
            pairs.collect::<BTreeSet<_>>()
        };
        assert!(pairs(&a).is_disjoint(&pairs(&b)));
        // And some of them change hands.
        for (kit, holder, rows) in [(one, first, a), (two, second, b)] {
            let done: Vec<_> = rows.iter().map(|row| Settled::Done(row.id)).collect();
            kit.store.settle(&done).await.unwrap();
            kit.store.release(holder).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_the_trail_in_the_order_of_its_numbers() {
    const EACH: usize = 100;
    let stores = two().await;
    let ann = stores[0].kit().person("ann").await;
    let record = |kit: &Kit| {
        let store = kit.store.clone();
        async move {
            for _ in 0..EACH {
                let entry = AuditEntry {
                    event_id: EventId(Uuid::now_v7()),
                    event_type: EventType::LoggedIn.as_str().into(),
                    user_id: Some(ann),
                    seq: None,
                    timestamp: NOON,
                    recorded_at: NOON,
                };
                store.record_audit(&[entry], false).await.unwrap();
            }
        }
    };
    let recording = [0, 1, 0, 1].map(|n: usize| tokio::spawn(record(stores[n].kit())));
    // Walks on as rows come, and never looks back.
    let (mut after, mut seen) = (0, 0);
    while seen < 4 * EACH {
        let done = recording.iter().all(|task| task.is_finished());
        let rows = stores[0].kit().store.audit(ann, after, 1000).await.unwrap();
        after = rows.last().map_or(after, |row| row.n);
        seen += rows.len();
        assert!(
            !done || !rows.is_empty() || seen == 4 * EACH,
            "some were passed over"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn makes_one_successor_in_two_processes() {
    const ROUNDS: u128 = 20;
    let stores = two().await;
    let kit = stores[0].kit();
    let ann = kit.person("ann").await;
    for round in 0..ROUNDS {
        let first = kit.add(ann, daily()).await.id;
        let done = Command::Complete(Some(true));
        kit.change(ann, first, done).await.unwrap();
        let told = [
            (0, 2 * round),
            (1, 2 * round),
            (1, 2 * round + 1),
            (0, 2 * round + 1),
        ];
        let told = told.map(|(n, event): (usize, _)| {
            let store = stores[n].kit().store.clone();
            let effect = effect(kit, ann, first, event);
            tokio::spawn(async move { store.mutate(effect).await.unwrap() })
        });
        for outcome in join_all(told).await {
            assert_eq!(outcome.unwrap().task.unwrap().version, 1);
        }
    }
    let made = kit.feed(ann).await.into_iter();
    let made = made.filter(|event| event.metadata.actor == Actor::Recurring);
    assert_eq!(made.count() as u128, ROUNDS);
    assert_eq!(stores[0].rows("inbox").await as u128, 2 * ROUNDS);
}

#[tokio::test]
async fn finds_nothing_by_what_it_cannot_keep() {
    let store = Postgres::new().await;
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let account = kit.store.account_by_email("a\0@example.org").await;
    assert_eq!(refusal(account.map(|_| ())), Code::ValidationFailed);
    let query = TaskQuery {
        view: View::Tag("\0".into()),
        limit: 1,
        ..TaskQuery::default()
    };
    let here = Here::at("UTC", NOON, &TzDatabase);
    let list = kit.store.list(ann, &query, &here).await;
    assert_eq!(refusal(list), Code::ValidationFailed);
}

#[tokio::test]
async fn finds_what_was_there_before_there_was_an_index() {
    let mut store = Postgres::new().await;
    let ann = store.kit().person("ann").await;
    store.kit().add_titled(ann, "Éclairs").await;
    let endless = "x".repeat(9_000);
    let back = format!(
        "DROP INDEX tasks_words; DROP FUNCTION task_words; \
         UPDATE tasks SET search = search || ' {endless}'; \
         DELETE FROM _sqlx_migrations WHERE version = 5"
    );
    store.run(&back).await;
    store.reopen().await;
    for q in ["eclair", &endless] {
        let query = TaskQuery {
            q: Some(q.into()),
            limit: 2,
            ..TaskQuery::default()
        };
        let here = Here::at("UTC", NOON, &TzDatabase);
        let page = store.kit().store.list(ann, &query, &here).await.unwrap();
        assert_eq!(page.items.len(), 1);
    }
}

#[tokio::test]
async fn removes_all_of_a_person_in_parts_each_as_quick_as_any_statement() {
    let store = Postgres::new().await;
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    for user in [ann, bob] {
        kit.add_titled(user, "Task").await;
    }
    let many = format!(
        "INSERT INTO events (event_id, event_type, user_id, seq, at, json) \
         SELECT gen_random_uuid(), 'task.updated', '{ann}', n, 0, '{{}}' \
         FROM generate_series(2, 45000) n; \
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF current_setting('statement_timeout') <> '10s' THEN RAISE 'no bound'; END IF; \
         IF (SELECT count(*) FROM gone) > 20000 THEN RAISE 'too many at once'; END IF; \
         RETURN NULL; END $$; \
         CREATE TRIGGER look AFTER DELETE ON events \
         REFERENCING OLD TABLE AS gone EXECUTE FUNCTION look()"
    );
    store.run(&many).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    let left = format!("events WHERE user_id = '{ann}'");
    assert_eq!(store.rows(&left).await, 1);
    assert_eq!(store.rows("events").await, 3);
    assert_eq!(kit.feed(bob).await.len(), 1);
}
