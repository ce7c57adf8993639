//! A replay of the log: what consumers keep, made anew beside whatever goes on.

use std::collections::HashSet;

use tidings::{
    clock::SystemClock,
    commands::{self, Replayed},
    consumers::{Consumer, Delivery},
    store::{Counts, Tally, TallyTask},
};
use tidings_domain::{
    event::EventType,
    id::{EventId, UserId},
    statistics::Counted,
    task::Priority,
};
use uuid::Uuid;

use super::{
    kit::{Kit, NOON, TestStore},
    random::Random,
    statistics::{analytics, counted, deliveries, expected, live},
};

async fn replay(kit: &Kit, consumer: Replayed, user: Option<UserId>) -> String {
    let mut out = Vec::new();
    let done = commands::replay(&*kit.store, &SystemClock, consumer, user, &mut out).await;
    done.unwrap();
    String::from_utf8(out).unwrap()
}

pub(crate) async fn counts_the_same_again(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut random = Random::new(5);
    let told = live(kit, ann, &mut random, 900).await;
    live(kit, bob, &mut random, 100).await;
    assert!(told.len() > 256, "more than one part: {}", told.len());
    let right = [expected(kit, ann).await, expected(kit, bob).await];
    // Nothing was delivered, as before there were statistics.
    let words = replay(kit, Replayed::Analytics, None).await;
    let events = told.len() + deliveries(kit, bob).await.len();
    assert_eq!(words, format!("{events} events were replayed\n"));
    let now = async || [counted(kit, ann).await, counted(kit, bob).await];
    assert_eq!(now().await, right);
    // Rows that are wrong, that are missing, and that no event has made.
    store
        .run("UPDATE statistics SET created_at = 5, priority = 4, tags = NULL")
        .await;
    let stray = |seq| Tally {
        event_id: EventId(Uuid::now_v7()),
        task: Some(TallyTask {
            user_id: ann,
            task_id: kit.task_id(),
            seq,
            counts: Some(Counts {
                created_at: NOON,
                completed_at: Some(NOON),
                priority: Priority::Urgent,
                tags: vec!["stray".into()],
            }),
        }),
    };
    kit.store
        .tally(&[stray(1), stray(1_000_000)], false)
        .await
        .unwrap();
    store
        .run("DELETE FROM statistics WHERE seq > 30 AND seq < 200")
        .await;
    assert_ne!(now().await, right);
    replay(kit, Replayed::Analytics, None).await;
    assert_eq!(now().await, right);
}

pub(crate) async fn mends_a_part_at_a_time(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut random = Random::new(7);
    for user in [ann, bob] {
        let told = live(kit, user, &mut random, 20).await;
        analytics(kit).handle(&told).await.unwrap();
    }
    let right = [counted(kit, ann).await, counted(kit, bob).await];
    let counts = store.rows("statistics").await;
    let strays = [ann, ann, bob, ann, ann].map(|user_id| Tally {
        event_id: EventId(Uuid::now_v7()),
        task: Some(TallyTask {
            user_id,
            task_id: kit.task_id(),
            seq: 1,
            counts: None,
        }),
    });
    kit.store.tally(&strays, false).await.unwrap();
    // However many one person has, no more than asked for are looked at, and so removed.
    let (mut last, mut left) = (None, counts + 5);
    while let Some(next) = kit.store.mend_statistics(None, last, 2).await.unwrap() {
        let now = store.rows("statistics").await;
        assert!(left - now <= 2);
        (last, left) = (Some(next), now);
    }
    assert_eq!(left, counts);
    assert_eq!([counted(kit, ann).await, counted(kit, bob).await], right);
    replay(kit, Replayed::Audit, None).await;
    store.run("DELETE FROM inbox").await;
    let (mut last, mut noted) = (0, 0);
    while let Some(next) = kit.store.mend_audit(Some(ann), last, 3).await.unwrap() {
        let now = store.rows("inbox").await;
        assert!(next > last && now > noted && now <= noted + 3);
        (last, noted) = (next, now);
    }
    assert_eq!(
        kit.store.audit(ann, 0, 1_000).await.unwrap().len() as i64,
        noted
    );
}

pub(crate) async fn hands_out_each_event_of_a_person_once(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    for _ in 0..3 {
        for user in [bob, ann] {
            kit.add_titled(user, "Task").await;
            let signed_in = kit.loose(EventType::LoggedIn, Some(user));
            kit.store.record(&signed_in).await.unwrap();
        }
    }
    let walk = async |user: Option<UserId>| {
        let (mut after, mut seen) = (0, HashSet::new());
        loop {
            let page = kit.store.log(user, after, 2).await.unwrap();
            let Some((last, _)) = page.last() else {
                return seen;
            };
            after = *last;
            assert!(page.len() <= 2);
            for (_, json) in page {
                let event = Delivery::read(json).unwrap();
                assert!(user.is_none_or(|user| event.user_id == Some(user)));
                assert!(seen.insert(event.event_id));
            }
        }
    };
    assert_eq!(walk(None).await.len(), 14);
    let all = kit.store.log(Some(ann), 0, 100).await.unwrap();
    assert_eq!(all.len(), 7);
    let (anns, bobs) = (walk(Some(ann)).await, walk(Some(bob)).await);
    assert_eq!((anns.len(), bobs.len()), (7, 7));
    assert!(anns.is_disjoint(&bobs));
}

pub(crate) async fn changes_nothing_that_is_right(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mut random = Random::new(6);
    let told = live(kit, ann, &mut random, 300).await;
    let right = expected(kit, ann).await;
    let consumer = analytics(kit);
    consumer.handle(&told).await.unwrap();
    // At no moment does it count anything else, and what is delivered meanwhile counts once.
    let mut looks = 0;
    let replaying = async {
        for _ in 0..3 {
            replay(kit, Replayed::Analytics, None).await;
        }
    };
    let looking = async {
        loop {
            assert_eq!(counted(kit, ann).await, right);
            consumer.handle(&told[looks % told.len()..]).await.unwrap();
            looks += 1;
        }
    };
    tokio::select! {
        () = replaying => {}
        () = looking => {}
    }
    assert!(looks > 0);
    assert_eq!(counted(kit, ann).await, right);
}

pub(crate) async fn gives_the_trail_what_it_lacks(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let nobody = kit.loose(EventType::LoginFailed, None);
    kit.store.record(&nobody).await.unwrap();
    for user in [ann, bob, ann] {
        kit.add_titled(user, "Task").await;
    }
    let deleted = kit.loose(EventType::UserDeleted, Some(bob));
    kit.store.delete_account(bob, &deleted).await.unwrap();
    let trail = async || kit.store.audit(ann, 0, 100).await.unwrap();
    let words = replay(kit, Replayed::Audit, None).await;
    // Ann came and made two tasks, somebody failed to sign in, Bob went and nothing else is left.
    assert_eq!(words, "5 events were replayed\n");
    let first = trail().await;
    assert_eq!(
        first.iter().map(|row| row.seq).collect::<Vec<_>>(),
        [None, Some(1), Some(2)]
    );
    assert_eq!(store.rows("audit WHERE user_id IS NULL").await, 1);
    assert_eq!(store.rows("audit").await, 5);
    assert_eq!(store.faults().await, Vec::<String>::new());
    // Again: the same, under the same numbers.
    replay(kit, Replayed::Audit, None).await;
    assert_eq!(
        (trail().await, store.rows("audit").await),
        (first.clone(), 5)
    );
    // Rows that were lost come back, though the inbox knew of them, and none twice whose note there
    // was lost.
    store
        .run("DELETE FROM audit WHERE seq = 1 OR user_id IS NULL")
        .await;
    store
        .run("DELETE FROM inbox WHERE event_id IN (SELECT event_id FROM audit WHERE seq = 2)")
        .await;
    assert!(!store.faults().await.is_empty());
    replay(kit, Replayed::Audit, None).await;
    assert_eq!(store.faults().await, Vec::<String>::new());
    store.run("DELETE FROM inbox").await;
    replay(kit, Replayed::Audit, None).await;
    let ids: HashSet<_> = trail().await.iter().map(|row| row.event_id).collect();
    assert_eq!((ids.len(), trail().await.len()), (3, 3));
    assert_eq!(store.rows("audit").await, 5);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn is_of_one_person_where_that_is_asked(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    for user in [ann, bob] {
        kit.add_titled(user, "Task").await;
    }
    let words = replay(kit, Replayed::Analytics, Some(ann)).await;
    assert_eq!(words, "1 events were replayed\n");
    assert_eq!(counted(kit, ann).await, expected(kit, ann).await);
    assert_eq!(counted(kit, bob).await, Counted::default());
    replay(kit, Replayed::Audit, Some(bob)).await;
    assert_eq!(kit.store.audit(bob, 0, 10).await.unwrap().len(), 2);
    assert_eq!(kit.store.audit(ann, 0, 10).await.unwrap().len(), 0);
    let nobody = UserId(Uuid::now_v7());
    assert_eq!(
        replay(kit, Replayed::Audit, Some(nobody)).await,
        "0 events were replayed\n"
    );
}
