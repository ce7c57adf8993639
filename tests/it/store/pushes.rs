//! Browsers that are to be told with every tab closed, and what is on its way to them.

use tidings::{
    clock::Clock,
    store::{KEPT_MS, Notice, Posted, Push, QueueDepth, SUBSCRIPTIONS_MAX, Session, Subscription},
};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::EventType,
    id::{EventId, Ids, TaskId, UserId},
    notice::{Channels, Kind},
    time::Timestamp,
};

use super::{
    kit::{Kit, NOON, TestStore, refusal, titled},
    retention::has,
};

/// Signs somebody in.
async fn begin(kit: &Kit, user: UserId) -> [u8; 32] {
    let session = Session {
        token_hash: rand::random(),
        user_id: user,
        created_at: NOON,
        expires_at: NOON.plus_ms(60_000),
    };
    let event = kit.loose(EventType::LoggedIn, Some(user));
    let begun = kit
        .store
        .create_session(&session, "$argon2id$secret", &event);
    begun.await.unwrap();
    session.token_hash
}

fn browser(kit: &Kit, user: UserId, session: [u8; 32], endpoint: &str) -> Subscription {
    Subscription {
        id: kit.ids.next(),
        user_id: user,
        session,
        endpoint: endpoint.into(),
        p256dh: vec![4; 65],
        auth: vec![7; 16],
        created_at: kit.clock.now(),
    }
}

/// Signs somebody in at so many browsers.
async fn browsers(kit: &Kit, user: UserId, endpoints: &[&str]) -> [u8; 32] {
    let session = begin(kit, user).await;
    for endpoint in endpoints {
        let browser = browser(kit, user, session, endpoint);
        kit.store.subscribe(&browser).await.unwrap();
    }
    session
}

fn notice(kit: &Kit, user: UserId, channels: Channels) -> Notice {
    Notice {
        event_id: EventId(kit.ids.next()),
        user_id: user,
        kind: Kind::Streak,
        task_id: None,
        remind_at: None,
        channels,
        title: "3 days".into(),
        body: "On each.".into(),
        subject: "3 days".into(),
        traceparent: None,
    }
}

async fn tell(kit: &Kit, notices: &[Notice]) {
    kit.store.notify(notices, &[]).await.unwrap();
}

async fn claim(kit: &Kit, now: Timestamp, limit: usize) -> Vec<Push> {
    let until = now.plus_ms(1_000);
    kit.store.claim_pushes(now, until, limit).await.unwrap()
}

/// Takes all that is due, one after the other.
async fn drain(kit: &Kit, now: Timestamp) -> Vec<Push> {
    let mut all = Vec::new();
    loop {
        let some = claim(kit, now, 100).await;
        if some.is_empty() {
            return all;
        }
        let done: Vec<_> = some.iter().map(|push| Posted::Done(push.n)).collect();
        kit.store.settle_pushes(&done).await.unwrap();
        all.extend(some);
    }
}

pub(crate) async fn hands_each_browser_its_own_in_order(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    browsers(kit, ann, &["https://push.test/1", "https://push.test/2"]).await;
    browsers(kit, bob, &["https://push.test/3"]).await;
    assert_eq!(claim(kit, NOON, 10).await, []);
    let one = notice(kit, ann, Channels::ALL);
    tell(kit, std::slice::from_ref(&one)).await;
    tell(kit, &[one, notice(kit, ann, Channels::ALL)]).await;
    let quiet = Channels {
        browser: false,
        ..Channels::ALL
    };
    tell(kit, &[notice(kit, ann, quiet), notice(kit, bob, quiet)]).await;
    assert_eq!(store.rows("pushes").await, 4);
    // The first of each browser, to one of those who ask.
    let (a, b) = tokio::join!(claim(kit, NOON, 10), claim(kit, NOON, 10));
    let first = [a, b].concat();
    assert_eq!(first.len(), 2);
    let list = kit.store.notifications(ann, false, None, 10).await.unwrap();
    for push in &first {
        let message = push.message.as_ref().unwrap();
        assert_eq!((push.user_id, push.kind), (ann, Kind::Streak));
        assert_eq!((push.created_at, push.attempts), (NOON, 0));
        assert_eq!((&*message.title, &*message.body), ("3 days", "On each."));
        assert_eq!(message.task_id, None);
        assert_eq!((message.p256dh.len(), message.auth.len()), (65, 16));
        assert!(list.iter().any(|n| n.id == message.notification));
    }
    let at = |push: &Push| push.message.as_ref().unwrap().endpoint.clone();
    assert_ne!(at(&first[0]), at(&first[1]));
    // What follows waits for it, and comes then.
    let later = NOON.plus_ms(60_000);
    let posted = [
        Posted::Done(first[0].n),
        Posted::Retry {
            n: first[1].n,
            at: later,
            error: "busy".into(),
        },
    ];
    kit.store.settle_pushes(&posted).await.unwrap();
    let next = drain(kit, NOON.plus_ms(2_000)).await;
    assert_eq!(next.len(), 1);
    assert_eq!(at(&next[0]), at(&first[0]));
    let rest = drain(kit, later).await;
    assert_eq!(rest.iter().map(|p| p.attempts).collect::<Vec<_>>(), [1, 0]);
    assert!(rest.iter().all(|push| at(push) == at(&first[1])));
}

pub(crate) async fn settles_pushes(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    browsers(kit, ann, &["https://push.test/1"]).await;
    for _ in 0..2 {
        tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    }
    let refused = claim(kit, NOON, 10).await[0].n;
    let aside = Posted::Aside {
        n: refused,
        error: "400\0".into(),
    };
    kit.store.settle_pushes(&[aside]).await.unwrap();
    let depth = |waiting, aside| QueueDepth { waiting, aside };
    assert_eq!(kit.store.push_depth().await.unwrap(), depth(1, 1));
    // It holds nothing up.
    let other = claim(kit, NOON, 10).await;
    assert_eq!(other.len(), 1);
    kit.store
        .settle_pushes(&[Posted::Done(other[0].n)])
        .await
        .unwrap();
    let aside = kit.store.pushes_unsent(0, 10).await.unwrap();
    assert_eq!(
        (aside.len(), aside[0].n, aside[0].user_id),
        (1, refused, ann)
    );
    assert_eq!(aside[0].kind, Some(Kind::Streak));
    assert!(aside[0].error.starts_with("400"));
    assert_eq!(kit.store.drop_pushes(Some(refused + 100)).await.unwrap(), 0);
    let later = NOON.plus_ms(60_000);
    assert_eq!(kit.store.put_pushes_back(None, later).await.unwrap(), 1);
    let again = claim(kit, later, 10).await;
    assert_eq!((again[0].n, again[0].attempts), (refused, 0));
    assert_eq!(again[0].created_at, later);
    let aside = Posted::Aside {
        n: refused,
        error: "400".into(),
    };
    kit.store.settle_pushes(&[aside]).await.unwrap();
    assert_eq!(kit.store.drop_pushes(None).await.unwrap(), 1);
    assert_eq!(kit.store.push_depth().await.unwrap(), depth(0, 0));
}

pub(crate) async fn a_browser_is_one_persons_while_they_are_signed_in(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let here = "https://push.test/1";
    let old = browsers(kit, ann, &[here]).await;
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    // Anew, in another session: nothing of what waits is lost.
    let session = browsers(kit, ann, &[here]).await;
    assert_eq!(store.rows("push_subscriptions").await, 1);
    let out = kit.loose(EventType::LoggedOut, Some(ann));
    kit.store.end_session(&old, ann, false, &out).await.unwrap();
    assert_eq!(store.rows("pushes").await, 1);
    // It goes with its session, and what waits for it too.
    kit.store
        .end_session(&session, ann, false, &out)
        .await
        .unwrap();
    assert_eq!(store.rows("push_subscriptions").await, 0);
    assert_eq!(store.rows("pushes").await, 0);
    let late = browser(kit, ann, session, here);
    assert_eq!(
        refusal(kit.store.subscribe(&late).await),
        Code::Unauthenticated
    );
    // Whoever is signed in there later has it.
    browsers(kit, ann, &[here]).await;
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    let bobs = browsers(kit, bob, &[here]).await;
    tell(
        kit,
        &[
            notice(kit, ann, Channels::ALL),
            notice(kit, bob, Channels::ALL),
        ],
    )
    .await;
    let told = drain(kit, NOON).await;
    assert_eq!(told.iter().map(|p| p.user_id).collect::<Vec<_>>(), [bob]);
    // Nobody subscribes by a session of another.
    let wrong = browser(kit, ann, bobs, "https://push.test/2");
    assert_eq!(
        refusal(kit.store.subscribe(&wrong).await),
        Code::Unauthenticated
    );
    // Nor forgets what is not theirs.
    let message = told[0].message.as_ref().unwrap();
    assert!(!kit.store.unsubscribe_endpoint(ann, here).await.unwrap());
    kit.store
        .forget_subscription(ann, message.subscription)
        .await
        .unwrap();
    assert_eq!(store.rows("push_subscriptions").await, 1);
    tell(kit, &[notice(kit, bob, Channels::ALL)]).await;
    kit.store
        .forget_subscription(bob, message.subscription)
        .await
        .unwrap();
    assert_eq!(store.rows("push_subscriptions").await, 0);
    assert_eq!(store.rows("pushes").await, 0);
    browsers(kit, bob, &[here]).await;
    assert!(kit.store.unsubscribe_endpoint(bob, here).await.unwrap());
    assert!(!kit.store.unsubscribe_endpoint(bob, here).await.unwrap());
    // Nothing is left of who is gone.
    browsers(kit, ann, &[here]).await;
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    assert_eq!(store.rows("push_subscriptions").await, 0);
    assert_eq!(store.rows("pushes").await, 0);
}

pub(crate) async fn keeps_so_many_browsers_and_so_much_for_each(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    for n in 0..SUBSCRIPTIONS_MAX + 2 {
        kit.clock.advance(1);
        browsers(kit, ann, &[&format!("https://push.test/{n}")]).await;
    }
    assert_eq!(store.rows("push_subscriptions").await, 10);
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    let told = drain(kit, NOON.plus_ms(1_000)).await;
    let mut ends: Vec<u32> = told
        .iter()
        .map(|push| {
            push.message.as_ref().unwrap().endpoint[18..]
                .parse()
                .unwrap()
        })
        .collect();
    ends.sort_unstable();
    // The oldest went.
    assert_eq!(ends, (2..12).collect::<Vec<_>>());
    for _ in 0..60 {
        tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    }
    assert_eq!(store.rows("pushes").await, 10 * 50);
}

pub(crate) async fn pushes_only_what_is_still_news(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    browsers(kit, ann, &["https://push.test/1"]).await;
    let browser_alone = Channels {
        app: false,
        mail: false,
        browser: true,
    };
    let remind = async |title: &str| -> TaskId {
        let patch = TaskPatch {
            remind_at: Some(Some(NOON)),
            ..titled(title)
        };
        let task = kit.add(ann, patch).await;
        let notice = Notice {
            kind: Kind::Reminder,
            task_id: Some(task.id),
            remind_at: Some(NOON),
            ..notice(kit, ann, Channels::ALL)
        };
        tell(kit, &[notice]).await;
        task.id
    };
    // Read elsewhere, done, gone for good; and two that are news.
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    kit.store.mark_all_read(ann, NOON.plus_ms(1)).await.unwrap();
    let done = remind("Done").await;
    kit.change(ann, done, Command::Complete(Some(true)))
        .await
        .unwrap();
    let gone = remind("Gone").await;
    kit.change(ann, gone, Command::Delete).await.unwrap();
    kit.change(ann, gone, Command::Purge).await.unwrap();
    let open = remind("Open").await;
    tell(kit, &[notice(kit, ann, browser_alone)]).await;
    let told = drain(kit, NOON.plus_ms(1_000)).await;
    let news: Vec<_> = told.iter().map(|push| push.message.is_some()).collect();
    assert_eq!(news, [false, false, false, true, true]);
    let task = told[3].message.as_ref().unwrap().task_id;
    assert_eq!(task, Some(open));
}

pub(crate) async fn forgets_what_was_set_aside_thirty_days_ago(mut store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    browsers(kit, ann, &["https://push.test/1"]).await;
    let refuse = async || {
        tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
        let aside = Posted::Aside {
            n: claim(kit, kit.clock.now(), 10).await[0].n,
            error: "400".into(),
        };
        kit.store.settle_pushes(&[aside]).await.unwrap();
    };
    refuse().await;
    kit.clock.advance(1);
    refuse().await;
    // What waits is looked at by its sender.
    tell(kit, &[notice(kit, ann, Channels::ALL)]).await;
    store
        .run("UPDATE pushes SET created_at = 0 WHERE NOT aside")
        .await;
    // The session that the browser hangs on lasts.
    let until = NOON.plus_ms(2 * KEPT_MS).0;
    store
        .run(&format!("UPDATE sessions SET expires_at = {until}"))
        .await;
    kit.clock.advance(KEPT_MS);
    store.reopen().await;
    has(&store, "pushes", 2).await;
    let depth = store.kit().store.push_depth().await.unwrap();
    assert_eq!((depth.waiting, depth.aside), (1, 1));
}

pub(crate) async fn makes_its_key_once(mut store: impl TestStore) {
    assert_eq!(store.kit().store.push_key("one").await.unwrap(), "one");
    store.reopen().await;
    let kit = store.kit();
    assert_eq!(kit.store.push_key("two").await.unwrap(), "one");
    assert_eq!(kit.store.mail_secret("three").await.unwrap(), "three");
}
