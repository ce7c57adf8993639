//! Search, held against a look at every task.

use std::time::{Duration, Instant};

use tidings::store::{Sort, SortKey, TaskQuery};
use tidings_domain::{
    command::{Command, TaskPatch},
    event::EventType,
    id::{TaskId, UserId},
    task::Task,
    text,
    time::TzDatabase,
    view::{Here, View},
};

use super::{
    kit::{Kit, NOON, TestStore, titled},
    lists::{same, walk},
    random::Random,
};

fn here() -> Here<'static> {
    Here::at("Europe/Berlin", NOON, &TzDatabase)
}

fn query(q: &str) -> TaskQuery {
    TaskQuery {
        q: Some(q.to_owned()),
        limit: 200,
        ..TaskQuery::default()
    }
}

/// The titles that a search finds, in order.
async fn titles(kit: &Kit, user: UserId, q: &str) -> Vec<String> {
    let page = kit.store.list(user, &query(q), &here()).await.unwrap();
    let mut titles: Vec<_> = page
        .items
        .iter()
        .map(|task| task.read().unwrap().title)
        .collect();
    titles.sort();
    titles
}

/// Whether every word begins a word of the task.
fn fits(q: &str, task: &Task) -> bool {
    let all = [
        &task.title,
        "\n",
        &task.description,
        "\n",
        &task.tags.join("\n"),
    ]
    .concat();
    text::matches(&text::fold(q), &text::fold(&all))
}

async fn add(kit: &Kit, user: UserId, title: &str, description: &str, tags: &[&str]) -> Task {
    let patch = TaskPatch {
        description: Some(description.to_owned()),
        tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
        ..titled(title)
    };
    kit.add(user, patch).await
}

pub(crate) async fn finds_words_by_their_beginnings(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    add(kit, ann, "Café crème", "with Zoë, at the Straße", &["home"]).await;
    add(
        kit,
        ann,
        "İstanbul",
        "e\u{301}clair; x\u{308}\u{323}y",
        &["Büro-2"],
    )
    .await;
    add(
        kit,
        ann,
        "日本語のテスト",
        "ﬁne ＦＵＬＬ ½ ①",
        &["🎉party", "ΣΊΣΥΦΟΣ"],
    )
    .await;
    add(
        kit,
        ann,
        "👩‍👩‍👧 family",
        "don't e-mail foo_bar 1e5 3.14",
        &["a%b"],
    )
    .await;
    let [cafe, istanbul, nihongo, family] =
        ["Café crème", "İstanbul", "日本語のテスト", "👩‍👩‍👧 family"];
    for (q, expected) in [
        ("cafe", vec![cafe]),
        ("CAFÉ", vec![cafe]),
        ("caf cre zoe home", vec![cafe]),
        ("afe", vec![]),
        ("straße", vec![cafe]),
        ("STRAẞE", vec![cafe]),
        ("istanbul", vec![istanbul]),
        ("ISTAN", vec![istanbul]),
        ("éclair", vec![istanbul]),
        ("eclair xy", vec![istanbul]),
        ("buro 2", vec![istanbul]),
        ("日本", vec![nihongo]),
        ("本語", vec![]),
        ("ﾃｽﾄ", vec![]),
        ("fine full", vec![nihongo]),
        ("ｆｉｎｅ 1", vec![nihongo]),
        ("σίσυφος", vec![nihongo]),
        ("σισυφοσ", vec![nihongo]),
        ("party", vec![nihongo]),
        ("family e-mail", vec![family]),
        ("mail", vec![family]),
        ("1e5 14", vec![family]),
        ("don t", vec![family]),
        ("a b", vec![family]),
        ("bar", vec![family]),
        ("2", vec![istanbul, nihongo]),
        ("h", vec![cafe]),
        ("cafe istanbul", vec![]),
    ] {
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        expected.sort();
        assert_eq!(titles(kit, ann, q).await, expected, "{q}");
    }
    // No words ask for nothing.
    for q in ["", " ", "🎉", "%_"] {
        assert_eq!(titles(kit, ann, q).await.len(), 4, "{q}");
    }
}

pub(crate) async fn takes_everything_for_words(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let tea = kit.add_titled(ann, "Milk and tea, or not near").await.title;
    let coffee = kit.add_titled(ann, "Coffee").await.title;
    for q in [
        "milk AND tea",
        "milk OR tea",
        "milk NOT",
        "NEAR(milk tea)",
        "\"milk tea\"",
        "\"",
        "milk\"*",
        "milk:* & tea",
        "milk | tea",
        "!milk",
        "^milk",
        "words:milk",
        "task_words : milk",
        "-milk +tea",
        "{milk tea} : near",
        "(milk",
        "milk')",
        "'; DROP TABLE tasks; --",
        "\\milk",
        "milk\\",
        "milk <-> tea",
        "milk:A",
        "*",
        "%",
        "?1 $1 ?",
        "co* fee",
        "coffee\u{200b}",
        "\u{feff}coffee",
    ] {
        let both = [&tea, &coffee].map(|title| (title, titled(title)));
        let fit = |title: &str| text::matches(&text::fold(q), &text::fold(title));
        let mut expected: Vec<_> = both
            .iter()
            .filter(|(t, _)| fit(t))
            .map(|(t, _)| (*t).clone())
            .collect();
        expected.sort();
        assert_eq!(titles(kit, ann, q).await, expected, "{q}");
    }
    // As many words as a request has room for, and one that is too long for any index.
    let many: Vec<_> = (0..100).map(|n| format!("w{n}")).collect();
    add(kit, ann, "Many", &many.join(" "), &[]).await;
    assert_eq!(titles(kit, ann, &many.join(" ")).await, ["Many"]);
    assert_eq!(
        titles(kit, ann, &(many.join(" ") + " x")).await,
        Vec::<String>::new()
    );
    let endless = "ß𝔛語".repeat(3_000);
    add(kit, ann, "Endless", &endless, &[]).await;
    for q in [&endless[..9], &endless] {
        assert_eq!(titles(kit, ann, q).await, ["Endless"]);
    }
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn follows_what_becomes_of_a_task(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Milk").await;
    let change = |command| kit.change(ann, task.id, command);
    let finds = async |view: View, q: &str| {
        let query = TaskQuery { view, ..query(q) };
        let page = kit.store.list(ann, &query, &here()).await.unwrap();
        !page.items.is_empty()
    };
    change(Command::Edit(titled("Tea"))).await.unwrap();
    assert!(!finds(View::All, "milk").await && finds(View::All, "tea").await);
    change(Command::Complete(Some(true))).await.unwrap();
    assert!(finds(View::All, "tea").await && finds(View::Completed, "tea").await);
    assert!(!finds(View::Inbox, "tea").await);
    change(Command::Delete).await.unwrap();
    assert!(!finds(View::All, "tea").await && !finds(View::Completed, "tea").await);
    assert!(finds(View::Trash, "tea").await);
    change(Command::Restore(None)).await.unwrap();
    assert!(finds(View::All, "tea").await && !finds(View::Trash, "tea").await);
    change(Command::Restore(Some(1))).await.unwrap();
    assert!(finds(View::All, "milk").await && !finds(View::All, "tea").await);
    change(Command::Delete).await.unwrap();
    change(Command::Purge).await.unwrap();
    for view in [View::All, View::Trash] {
        assert!(!finds(view, "milk").await);
    }
    // Its place in the file may be another's now.
    kit.add_titled(ann, "Coffee").await;
    assert!(!finds(View::All, "milk").await && finds(View::All, "coffee").await);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn keeps_people_apart(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    // Whose id ends like hers.
    let mut twin = kit.account("bob", "UTC");
    let end = ann.0.as_u128() & 0xffff_ffff;
    twin.user.id = UserId(uuid::Uuid::from_u128(
        twin.user.id.0.as_u128() & !0xffff_ffff | end,
    ));
    let bob = twin.user.id;
    let event = kit.loose(EventType::UserRegistered, Some(bob));
    kit.store.register(&twin, &event, None).await.unwrap();
    kit.add_titled(ann, "Milk of Ann").await;
    kit.add_titled(bob, "Milk of Bob").await;
    assert_eq!(titles(kit, ann, "milk").await, ["Milk of Ann"]);
    assert_eq!(titles(kit, bob, "milk").await, ["Milk of Bob"]);
    // Nor does anybody find others by their ids.
    let id = ann.to_string();
    for q in [&id[28..], &format!("{}milk", &id[28..])] {
        assert_eq!(titles(kit, ann, q).await, Vec::<String>::new());
    }
    assert_eq!(store.faults().await, Vec::<String>::new());
}

/// Pieces of texts and of searches, and what they are parted by.
const PIECES: [&str; 16] = [
    "milk",
    "Mil",
    "MILCH",
    "é",
    "e\u{301}clair",
    "Eclairs",
    "Zoë",
    "zebra",
    "日本",
    "日本語",
    "ß",
    "ss",
    "1e5",
    "15",
    "İ",
    "ﬁ",
];
const PARTS: [&str; 8] = [" ", " ", "-", "'", "\"", "\n", "", "🎉"];

fn words(random: &mut Random, count: usize) -> String {
    let mut text = String::new();
    for _ in 0..count {
        text.push_str(PIECES[random.below(PIECES.len())]);
        text.push_str(PARTS[random.below(PARTS.len())]);
    }
    text
}

pub(crate) async fn finds_what_a_look_at_every_task_finds(store: impl TestStore) {
    let kit = store.kit();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let ann = kit.person(&format!("ann{seed}")).await;
        let bob = kit.person(&format!("bob{seed}")).await;
        let ids: Vec<TaskId> = (0..30).map(|_| kit.task_id()).collect();
        for round in 0..300 {
            kit.clock.advance(random.below(2) as i64);
            let mut command = match random.below(3) {
                0 => random.create(),
                _ => random.command(),
            };
            if let Command::Create(patch) | Command::Edit(patch) | Command::Replace(patch) =
                &mut command
                && random.below(3) > 0
            {
                let count = 1 + random.below(3);
                let title = words(&mut random, count);
                patch.title = Some(format!("{title}."));
                let count = random.below(6);
                patch.description = Some(words(&mut random, count));
            }
            let user = if round % 5 == 0 { bob } else { ann };
            let id = ids[random.below(ids.len())];
            // Some are refused.
            let _ = kit.change(user, id, command).await;
        }
        let mut tasks = std::collections::BTreeMap::new();
        for event in kit.feed(ann).await {
            tidings_domain::decide::apply(&mut tasks, event);
        }
        let mut found = 0;
        for round in 0..80 {
            let count = 1 + random.below(2);
            let q = words(&mut random, count);
            let sort = Sort {
                key: [
                    SortKey::Position,
                    SortKey::UpdatedAt,
                    SortKey::DueDate,
                    SortKey::Title,
                ][round % 4],
                descending: round % 3 == 0,
            };
            let view = [
                View::All,
                View::All,
                View::Inbox,
                View::Completed,
                View::Trash,
            ][random.below(5)]
            .clone();
            let query = TaskQuery {
                view: view.clone(),
                sort,
                limit: 1 + random.below(4),
                ..query(&q)
            };
            let here = here();
            let holds = |t: &&Task| view.holds(t, &here) && fits(&q, t);
            let expected: Vec<_> = tasks.values().filter(holds).cloned().collect();
            found += expected.len();
            let listed = walk(kit, ann, &query, &here).await;
            same(listed, expected, &format!("seed {seed}: {query:?}"));
        }
        assert!(found > 50, "hardly anything was tested: {found}");
    }
    assert_eq!(store.faults().await, Vec::<String>::new());
}

/// Copies a task many times, with a number in the place of one of its words.
async fn multiply<S: TestStore>(store: &S, task: &Task, owner: &str, count: usize) {
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count}) \
         INSERT INTO tasks (user_id, id, position, title_key, search, priority, created_at, \
         updated_at, task) SELECT {owner}, {new}, position, title_key, \
         replace(search, 'template', 'number' || n), priority, created_at, updated_at, task \
         FROM tasks, n WHERE tasks.id = '{id}'",
        new = S::NEW_ID,
        id = task.id,
    );
    store.run(&sql).await;
}

pub(crate) async fn finds_one_among_a_hundred_thousand<S: TestStore>(store: S) {
    /// A look at every task takes some hundred milliseconds.
    const SOON: Duration = Duration::from_millis(30);
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let task = add(
        kit,
        ann,
        "A template",
        "Milk, eggs, bread; and the rest",
        &[],
    )
    .await;
    multiply(&store, &task, "user_id", 100_000).await;
    multiply(&store, &task, S::NEW_ID, 50_000).await;
    add(
        kit,
        bob,
        "A number77777",
        "Milk, eggs, bread; and the rest",
        &[],
    )
    .await;
    for key in [SortKey::Position, SortKey::UpdatedAt] {
        for user in [ann, bob] {
            let query = TaskQuery {
                sort: Sort {
                    key,
                    descending: true,
                },
                ..query("number77777 milk")
            };
            let mut fastest = Duration::MAX;
            for _ in 0..20 {
                let start = Instant::now();
                let page = kit.store.list(user, &query, &here()).await.unwrap();
                fastest = fastest.min(start.elapsed());
                assert_eq!(page.items.len(), 1);
            }
            assert!(fastest < SOON, "{key:?} took {fastest:?}");
        }
    }
}

pub(crate) async fn sees_that_words_are_wrong(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = kit.add_titled(ann, "Milk").await;
    assert_eq!(store.faults().await, Vec::<String>::new());
    store.run("UPDATE tasks SET search = ' coffee'").await;
    let expected = format!("{ann}: the words of task {} are others", task.id);
    assert_eq!(store.faults().await, [expected]);
}
