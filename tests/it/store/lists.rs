//! Lists and boards, held against the rules of the domain.

use std::cmp::Ordering;

use tidings::store::{Sort, SortKey, TaskQuery};
use tidings_domain::{
    command::{Command, TaskPatch},
    id::UserId,
    task::{Priority, Task},
    text,
    time::TzDatabase,
    view::{Here, View},
};

use super::{
    kit::{Kit, NOON, TestStore, titled},
    random::Random,
};

const KEYS: [SortKey; 8] = [
    SortKey::Position,
    SortKey::DueDate,
    SortKey::Priority,
    SortKey::CreatedAt,
    SortKey::UpdatedAt,
    SortKey::Title,
    SortKey::CompletedAt,
    SortKey::DeletedAt,
];

fn views() -> [View; 8] {
    [
        View::All,
        View::Inbox,
        View::Today,
        View::Upcoming,
        View::Completed,
        View::Trash,
        View::Tag("home".into()),
        View::Tag("a%b".into()),
    ]
}

/// A person with tasks of every kind, and another to stay out of the way.
async fn filled(kit: &Kit, seed: u64) -> (UserId, Vec<Task>) {
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut random = Random::new(seed);
    for n in 0..120 {
        kit.clock.advance(random.below(2) as i64);
        let user = if n % 10 == 0 { bob } else { ann };
        let id = kit.task_id();
        kit.change(user, id, random.create()).await.unwrap();
        if random.below(4) == 0 {
            kit.change(user, id, Command::Delete).await.unwrap();
        }
    }
    // The log knows them all, without asking a list.
    let mut tasks = std::collections::BTreeMap::new();
    for event in kit.feed(ann).await {
        tidings_domain::decide::apply(&mut tasks, event);
    }
    (ann, tasks.into_values().collect())
}

/// All of a list, a few at a time.
pub(super) async fn walk(kit: &Kit, user: UserId, query: &TaskQuery, here: &Here<'_>) -> Vec<Task> {
    let mut query = query.clone();
    let mut all = Vec::new();
    loop {
        let page = kit.store.list(user, &query, here).await.unwrap();
        assert!(page.items.len() <= query.limit);
        all.extend(page.items.iter().map(|task| task.read().unwrap()));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return all,
        }
    }
}

fn ids(tasks: &[Task]) -> Vec<String> {
    tasks.iter().map(|t| t.id.to_string()).collect()
}

/// Compares what a list holds, whatever its order.
pub(super) fn same(mut found: Vec<Task>, mut expected: Vec<Task>, what: &str) {
    found.sort_by_key(|t| t.id);
    expected.sort_by_key(|t| t.id);
    assert_eq!(found, expected, "{what}");
}

pub(crate) async fn holds_what_the_views_hold(store: impl TestStore) {
    let kit = store.kit();
    let (ann, tasks) = filled(kit, 1).await;
    for zone in [
        "Europe/Berlin",
        "Pacific/Kiritimati",
        "America/New_York",
        "UTC",
    ] {
        let here = Here::at(zone, NOON, &TzDatabase);
        for view in views() {
            let query = TaskQuery {
                view: view.clone(),
                limit: 7,
                ..TaskQuery::default()
            };
            let found = walk(kit, ann, &query, &here).await;
            let expected: Vec<_> = tasks
                .iter()
                .filter(|t| view.holds(t, &here))
                .cloned()
                .collect();
            assert!(!expected.is_empty(), "{view:?} is not tested");
            same(found, expected, &format!("{view:?} in {zone}"));
        }
    }
}

pub(crate) async fn orders_as_the_views_do(store: impl TestStore) {
    let kit = store.kit();
    let (ann, tasks) = filled(kit, 2).await;
    let here = Here::at("Europe/Berlin", NOON, &TzDatabase);
    for (view, key, descending) in [
        (View::All, SortKey::Position, false),
        (View::Inbox, SortKey::Position, false),
        (View::Completed, SortKey::CompletedAt, true),
        (View::Trash, SortKey::DeletedAt, true),
    ] {
        let sort = Sort { key, descending };
        let query = TaskQuery {
            view: view.clone(),
            sort,
            limit: 5,
            ..TaskQuery::default()
        };
        let found = walk(kit, ann, &query, &here).await;
        let mut expected: Vec<_> = tasks
            .iter()
            .filter(|t| view.holds(t, &here))
            .cloned()
            .collect();
        expected.sort_by(|a, b| view.order(a, b, &here));
        assert_eq!(ids(&found), ids(&expected), "{view:?}");
    }
}

/// Nulls last both ways, ties by id.
fn by<K: Ord>(a: Option<K>, b: Option<K>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn compare(a: &Task, b: &Task, sort: Sort) -> Ordering {
    let down = sort.descending;
    let first = match sort.key {
        SortKey::Position => by(Some(&a.position), Some(&b.position), down),
        SortKey::DueDate => by(a.due_at(&TzDatabase), b.due_at(&TzDatabase), down),
        SortKey::Priority => by(Some(a.priority), Some(b.priority), down),
        SortKey::CreatedAt => by(Some(a.created_at), Some(b.created_at), down),
        SortKey::UpdatedAt => by(Some(a.updated_at), Some(b.updated_at), down),
        SortKey::Title => by(Some(text::fold(&a.title)), Some(text::fold(&b.title)), down),
        SortKey::CompletedAt => by(a.completed_at, b.completed_at, down),
        SortKey::DeletedAt => by(a.deleted_at, b.deleted_at, down),
    };
    first.then_with(|| a.id.cmp(&b.id))
}

pub(crate) async fn walks_every_sort_once(store: impl TestStore) {
    let kit = store.kit();
    let (ann, tasks) = filled(kit, 3).await;
    let here = Here::at("Europe/Berlin", NOON, &TzDatabase);
    for key in KEYS {
        for descending in [false, true] {
            for view in [View::All, View::Trash, View::Completed] {
                let sort = Sort { key, descending };
                let query = TaskQuery {
                    view: view.clone(),
                    sort,
                    limit: 3,
                    ..TaskQuery::default()
                };
                let found = walk(kit, ann, &query, &here).await;
                let mut expected: Vec<_> = tasks
                    .iter()
                    .filter(|t| view.holds(t, &here))
                    .cloned()
                    .collect();
                expected.sort_by(|a, b| compare(a, b, sort));
                assert_eq!(ids(&found), ids(&expected), "{view:?} {sort:?}");
            }
        }
    }
}

pub(crate) async fn filters(store: impl TestStore) {
    let kit = store.kit();
    let (ann, tasks) = filled(kit, 4).await;
    let here = Here::at("America/New_York", NOON, &TzDatabase);
    let day = here.today;
    let all = TaskQuery {
        limit: 200,
        ..TaskQuery::default()
    };
    type Holds<'a> = Box<dyn Fn(&Task) -> bool + 'a>;
    let cases: Vec<(TaskQuery, Holds<'_>)> = vec![
        (
            TaskQuery {
                tags: vec!["home".into()],
                ..all.clone()
            },
            Box::new(|t| t.tags.iter().any(|t| t == "home")),
        ),
        (
            TaskQuery {
                priority: Some(Priority::High),
                ..all.clone()
            },
            Box::new(|t| t.priority == Priority::High),
        ),
        (
            TaskQuery {
                completed: Some(true),
                ..all.clone()
            },
            Box::new(|t| t.completed),
        ),
        (
            TaskQuery {
                completed: Some(false),
                ..all.clone()
            },
            Box::new(|t| !t.completed),
        ),
        (
            TaskQuery {
                due_before: Some(day),
                ..all.clone()
            },
            Box::new(|t| here.due_day(t).is_some_and(|d| d < day)),
        ),
        (
            TaskQuery {
                due_after: Some(day),
                ..all.clone()
            },
            Box::new(|t| here.due_day(t).is_some_and(|d| d > day)),
        ),
        (
            TaskQuery {
                q: Some("MILK not".into()),
                ..all.clone()
            },
            Box::new(|t| found("milk", t) && found("not", t)),
        ),
        (
            TaskQuery {
                q: Some("eclair".into()),
                ..all.clone()
            },
            Box::new(|t| found("eclair", t)),
        ),
        (
            TaskQuery {
                q: Some("clair".into()),
                ..all.clone()
            },
            Box::new(|t| found("clair", t)),
        ),
        (
            TaskQuery {
                q: Some("full日本".into()),
                ..all.clone()
            },
            Box::new(|_| false),
        ),
        (
            TaskQuery {
                q: Some("%_".into()),
                ..all.clone()
            },
            Box::new(|_| true),
        ),
        (
            TaskQuery {
                view: View::Completed,
                q: Some("home".into()),
                tags: vec!["home".into()],
                ..all.clone()
            },
            Box::new(|t| t.completed && t.tags.iter().any(|t| t == "home")),
        ),
    ];
    for (query, holds) in cases {
        let listed = walk(kit, ann, &query, &here).await;
        let expected = tasks.iter().filter(|t| t.deleted_at.is_none() && holds(t));
        same(listed, expected.cloned().collect(), &format!("{query:?}"));
    }
}

/// Whether the word begins a word of the task.
fn found(word: &str, task: &Task) -> bool {
    let all = format!(
        "{} {} {}",
        task.title,
        task.description,
        task.tags.join(" ")
    );
    text::matches(word, &text::fold(&all))
}

pub(crate) async fn draws_boards(store: impl TestStore) {
    let kit = store.kit();
    let (ann, tasks) = filled(kit, 5).await;
    let here = Here::at("Europe/Berlin", NOON, &TzDatabase);
    let open: Vec<_> = tasks.iter().filter(|t| t.is_open()).cloned().collect();
    for view in views() {
        let whole = kit
            .store
            .board(ann, &view, open.len(), &here)
            .await
            .unwrap();
        assert!(whole.complete);
        same(whole.tasks, open.clone(), "the whole board");
        let part = kit.store.board(ann, &view, 10, &here).await.unwrap();
        assert!(!part.complete);
        assert_eq!(part.counts, whole.counts, "counted in SQL and in memory");
        assert_eq!(part.cursor, whole.cursor);
        assert!(part.tasks.len() <= 10 && part.tasks.iter().all(|t| view.holds(t, &here)));
        assert!(
            part.tasks
                .is_sorted_by(|a, b| view.order(a, b, &here).is_lt())
        );
        let held = tasks.iter().filter(|t| view.holds(t, &here)).count();
        assert_eq!(part.tasks.len(), held.min(10));
    }
    let counts = kit
        .store
        .board(ann, &View::Inbox, 10, &here)
        .await
        .unwrap()
        .counts;
    let held = |view: View| tasks.iter().filter(|t| view.holds(t, &here)).count() as u32;
    assert_eq!(counts.inbox, held(View::Inbox));
    assert_eq!(counts.today, held(View::Today));
    assert_eq!(counts.upcoming, held(View::Upcoming));
    for (tag, count) in &counts.tags {
        assert_eq!(*count, held(View::Tag(tag.clone())), "{tag}");
    }
}

pub(crate) async fn says_where_the_feed_is(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let here = Here::at("Europe/Berlin", NOON, &TzDatabase);
    let query = TaskQuery {
        limit: 2,
        ..TaskQuery::default()
    };
    let page = kit.store.list(ann, &query, &here).await.unwrap();
    assert_eq!((page.items.len(), page.seq, page.next), (0, 0, None));
    for n in 0..2 {
        let patch = TaskPatch {
            position: Some("a0".into()),
            ..titled(&format!("t{n}"))
        };
        kit.add(ann, patch).await;
    }
    // Exactly as many as asked for is the end.
    let page = kit.store.list(ann, &query, &here).await.unwrap();
    assert_eq!((page.items.len(), page.seq, page.next), (2, 2, None));
    assert_eq!(page.epoch, kit.store.epoch());
}
