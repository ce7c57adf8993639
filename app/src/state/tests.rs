use crate::prelude::*;
use tidings_domain::{
    account::User,
    command::{Command, TaskPatch},
    id::{TaskId, UserId},
    task::{Priority, Task},
    time::Timestamp,
    view::{Board, Counts, View},
};
use uuid::Uuid;

use super::{Client, Link, toast::ToastKind};
use crate::{
    api::{account::Profile, tasks::ListQuery},
    page::PageData,
};

/// 2026-12-10, 12:00 UTC.
const NOON: Timestamp = Timestamp(1_796_904_000_000);

fn task(n: u128, position: &str, due: Option<&str>) -> Task {
    Task {
        id: TaskId(Uuid::from_u128(n)),
        title: format!("Task {n}"),
        description: String::new(),
        completed: false,
        completed_at: None,
        priority: Priority::None,
        tags: vec!["home".into()],
        due_date: due.and_then(|d| d.parse().ok()),
        due_time: None,
        time_zone: "UTC".into(),
        remind_at: None,
        recurrence: None,
        series_id: None,
        position: position.into(),
        version: 1,
        created_at: NOON,
        updated_at: NOON,
        deleted_at: None,
    }
}

fn page(tasks: Vec<Task>, complete: bool) -> PageData {
    PageData {
        path: "/inbox".into(),
        query: String::new(),
        now: NOON,
        seed: Uuid::from_u128(1),
        profile: Some(Profile {
            user: User {
                id: UserId(Uuid::from_u128(9)),
                email: "ada@example.org".into(),
                name: "Ada".into(),
                time_zone: "UTC".into(),
                created_at: NOON,
            },
            theme: "system".into(),
        }),
        board: Some(Board {
            epoch: Uuid::from_u128(2),
            cursor: 7,
            tasks,
            complete,
            counts: Counts {
                inbox: 250,
                ..Counts::default()
            },
        }),
        listing: None,
        detail: None,
        activity: None,
        tokens: Vec::new(),
        new_token: None,
        notices: None,
        #[cfg(feature = "ssr")]
        samples: false,
        #[cfg(feature = "ssr")]
        statistics: None,
        #[cfg(feature = "ssr")]
        security: None,
        fault: None,
        failed: None,
    }
}

/// Runs `f` with the store of a page of three tasks.
fn with_client(f: impl FnOnce(Client)) {
    let tasks = vec![
        task(1, "a0", None),
        task(2, "a1", Some("2026-12-10")),
        task(3, "a2", Some("2026-12-24")),
    ];
    Owner::new().with(|| f(Client::provide(&page(tasks, true))));
}

fn id(n: u128) -> TaskId {
    TaskId(Uuid::from_u128(n))
}

#[test]
fn views_and_counts_are_derived() {
    with_client(|client| {
        let ids = |view| client.view(view).get_untracked();
        assert_eq!(ids(View::Inbox), [id(1), id(2), id(3)]);
        assert_eq!(ids(View::Today), [id(2)]);
        assert_eq!(ids(View::Upcoming), [id(3)]);
        let counts = client.counts().get_untracked();
        assert_eq!((counts.inbox, counts.today, counts.upcoming), (3, 1, 1));
        assert_eq!(counts.tags, [("home".to_owned(), 3)]);
        assert_eq!(client.link().get_untracked(), Link::Connecting);
    });
}

#[test]
fn a_page_that_holds_a_part_shows_the_servers_counts() {
    Owner::new().with(|| {
        let client = Client::provide(&page(vec![task(1, "a0", None)], false));
        assert_eq!(client.counts().get_untracked().inbox, 250);
        // Where it would go first is not known: the server finds the place.
        client.add(TaskPatch {
            title: Some("Milk".into()),
            ..TaskPatch::default()
        });
        client
            .core
            .with_value(|core| match &core.replica.pending()[0].command {
                Command::Create(patch) => assert_eq!(patch.position, None),
                other => panic!("{other:?}"),
            });
    });
}

#[test]
fn a_change_shows_at_once_and_in_no_other_row() {
    with_client(|client| {
        let (first, second) = (client.task(id(1)), client.task(id(2)));
        let runs = StoredValue::new((0, 0));
        let (of_first, of_second) = (
            Memo::new(move |_| {
                first.track();
                runs.update_value(|r| r.0 += 1);
                first.with(|t| t.as_ref().map(|t| t.completed))
            }),
            Memo::new(move |_| {
                second.track();
                runs.update_value(|r| r.1 += 1);
            }),
        );
        assert_eq!(of_first.get_untracked(), Some(false));
        of_second.get_untracked();
        let inbox = client.view(View::Inbox);
        inbox.get_untracked();
        client.change(id(1), Command::Complete(None));
        assert_eq!(of_first.get_untracked(), Some(true));
        of_second.get_untracked();
        assert_eq!(runs.get_value(), (2, 1));
        assert_eq!(inbox.get_untracked(), [id(2), id(3)]);
        assert_eq!(client.waiting().get_untracked(), 1);
    });
}

#[test]
fn several_new_tasks_stand_in_their_order_before_all_others() {
    with_client(|client| {
        let patch = |title: &str| TaskPatch {
            title: Some(title.into()),
            ..TaskPatch::default()
        };
        let ids = client.add_many(["Milk", "Eggs", "Bread"].map(patch).to_vec());
        let inbox = client.view(View::Inbox).get_untracked();
        assert_eq!(inbox[..3], ids[..]);
        let titles: Vec<_> = ids
            .iter()
            .filter_map(|id| client.peek(*id))
            .map(|t| t.title)
            .collect();
        assert_eq!(titles, ["Milk", "Eggs", "Bread"]);
        client.undo();
        let inbox = client.view(View::Inbox).get_untracked();
        assert_eq!(inbox, [id(1), id(2), id(3)]);
    });
}

#[test]
fn the_last_change_is_undone_once() {
    with_client(|client| {
        let before = client.peek(id(2)).unwrap();
        client.change(id(2), Command::Delete);
        let toasts = client.toasts().list().get_untracked();
        assert_eq!(toasts.len(), 1);
        assert_eq!(toasts[0].words, "“Task 2” is in the trash.");
        assert_eq!(toasts[0].kind, ToastKind::Plain);
        assert_eq!(
            toasts[0].action.as_ref().map(|a| a.label.as_str()),
            Some("Undo")
        );
        client.undo();
        let after = client.peek(id(2)).unwrap();
        assert_eq!(TaskPatch::of(&after), TaskPatch::of(&before));
        assert_eq!(after.deleted_at, None);
        assert!(client.toasts().list().get_untracked().is_empty());
        assert!(client.last_undoable().is_none());
        client.undo();
        assert_eq!(client.waiting().get_untracked(), 2);
    });
}

#[test]
fn a_change_of_many_is_undone_as_one() {
    with_client(|client| {
        let changes = [1, 2, 3]
            .map(|n| (id(n), Command::Complete(Some(true))))
            .to_vec();
        client.change_many(changes, "3 tasks are done.");
        let inbox = client.view(View::Inbox);
        assert!(inbox.get_untracked().is_empty());
        client.undo();
        assert_eq!(inbox.get_untracked(), [id(1), id(2), id(3)]);
    });
}

#[test]
fn a_search_finds_what_is_at_hand_and_what_the_server_found() {
    with_client(|client| {
        let query = |q: &str| ListQuery {
            view: View::All,
            q: Some(q.into()),
            cursor: None,
        };
        let found = |q: &str| client.list(Signal::stored(query(q))).ids.get_untracked();
        assert_eq!(found("TAS 2"), [id(2)]);
        assert_eq!(found("hom").len(), 3);
        assert!(found("ask").is_empty());
        // Marks within words are no filters.
        assert_eq!(found("task:2"), [id(2)]);
        assert_eq!(found("1! TASK").len(), 1);
        for filter in ["#home", "!high", "Due:today"] {
            assert!(found(filter).is_empty(), "{filter}");
        }
        assert!(found(" ").is_empty());
    });
}
