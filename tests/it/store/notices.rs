//! Notifications: what is told once, what is kept, what goes.

use chrono::NaiveDate;
use serde_json::json;
use tidings::{
    clock::Clock,
    consumers::{Consumer, notifications::Notifications},
    store::{Notice, Posted},
};
use tidings_domain::{
    command::{Command, TaskPatch},
    error::Code,
    event::EventType,
    id::{EventId, Ids, TaskId, UserId},
    notice::{Channels, Kind, Settings},
    task::Task,
};
use uuid::Uuid;

use super::{
    kit::{Kit, NOON, TestStore, refusal, titled},
    statistics::deliveries,
};

const DAY_MS: i64 = 86_400_000;

pub(crate) fn notice(kit: &Kit, user: UserId, task: Option<TaskId>) -> Notice {
    Notice {
        event_id: EventId(kit.ids.next()),
        user_id: user,
        kind: Kind::Reminder,
        task_id: task,
        remind_at: task.map(|_| NOON),
        channels: Channels::ALL,
        title: "Milk".into(),
        body: "Due today.".into(),
        subject: "Reminder: Milk".into(),
        traceparent: None,
    }
}

async fn reminding(kit: &Kit, user: UserId, title: &str) -> Task {
    let patch = TaskPatch {
        remind_at: Some(Some(NOON)),
        ..titled(title)
    };
    kit.add(user, patch).await
}

async fn listed(kit: &Kit, user: UserId) -> usize {
    let list = kit.store.notifications(user, false, None, 1_000).await;
    list.unwrap().len()
}

pub(crate) async fn tells_once(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let task = reminding(kit, ann, "Milk").await;
    let one = notice(kit, ann, Some(task.id));
    let two = notice(kit, bob, None);
    kit.commits.0.lock().unwrap().clear();
    let both = [one.clone(), two.clone(), one.clone()];
    kit.store.notify(&both, &[]).await.unwrap();
    // Doubled, on another replica at the same time.
    let (a, b) = tokio::join!(
        kit.store.notify(&both, &[]),
        kit.store.notify(std::slice::from_ref(&two), &[])
    );
    a.and(b).unwrap();
    let told = kit.commits.0.lock().unwrap()[0].clone();
    assert!(told.contains(&ann) && told.contains(&bob));
    let feed = kit.feed(ann).await;
    let event = &feed[1];
    assert_eq!(event.event_type, EventType::NotificationCreated);
    assert_eq!((event.seq, event.task_id), (Some(2), Some(task.id)));
    assert_eq!(event.task_data, None);
    let list = kit.store.notifications(ann, true, None, 10).await.unwrap();
    let [it] = &list[..] else { panic!("{list:?}") };
    assert_eq!(
        event.data,
        json!({ "id": it.id, "kind": "reminder", "title": "Milk", "body": "Due today.",
            "task_id": task.id })
    );
    assert_eq!(it.read_at, None);
    assert_eq!(it.created_at, event.timestamp);
    assert_eq!((feed.len(), listed(kit, bob).await), (2, 1));
    assert_eq!(store.rows("mails").await, 2);
    // The feed goes on after it, and no page of what happened to tasks shows it.
    kit.add_titled(ann, "Bread").await;
    assert_eq!(kit.feed(ann).await.len(), 3);
    assert_eq!(kit.store.recent(ann, i64::MAX, 10).await.unwrap().len(), 2);
    let history = kit.store.history(ann, task.id, 0, 10).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn tells_by_the_ways_that_are_asked_for(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let by = |app, browser, mail| Notice {
        channels: Channels { app, browser, mail },
        ..notice(kit, ann, None)
    };
    kit.store
        .notify(&[by(false, false, true)], &[])
        .await
        .unwrap();
    assert_eq!((listed(kit, ann).await, store.rows("mails").await), (0, 1));
    // From the browser alone: nothing is left unread.
    kit.store
        .notify(&[by(false, true, false)], &[])
        .await
        .unwrap();
    assert_eq!(kit.store.unread(ann).await.unwrap(), 0);
    kit.store
        .notify(&[by(true, false, false)], &[])
        .await
        .unwrap();
    assert_eq!(kit.store.unread(ann).await.unwrap(), 1);
    assert_eq!((listed(kit, ann).await, store.rows("mails").await), (2, 1));
    assert_eq!(kit.feed(ann).await.len(), 2);
}

pub(crate) async fn tells_nothing_of_what_is_gone(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let done = reminding(kit, ann, "Done").await;
    kit.change(ann, done.id, Command::Complete(Some(true)))
        .await
        .unwrap();
    let purged = reminding(kit, ann, "Purged").await;
    let early = notice(kit, ann, Some(purged.id));
    kit.store.notify(&[early], &[]).await.unwrap();
    assert_eq!(listed(kit, ann).await, 1);
    for command in [Command::Delete, Command::Purge] {
        kit.change(ann, purged.id, command).await.unwrap();
    }
    // What was told of it goes, and its event loses its contents.
    assert_eq!((listed(kit, ann).await, store.rows("mails").await), (0, 0));
    let feed = kit.feed(ann).await;
    let told = feed
        .iter()
        .find(|e| e.event_type == EventType::NotificationCreated);
    let told = told.unwrap();
    assert_eq!(told.data, json!({ "task_id": purged.id, "user_id": ann }));
    let congratulation = Notice {
        kind: Kind::TaskCompleted,
        remind_at: None,
        ..notice(kit, ann, Some(done.id))
    };
    let stranger = notice(kit, UserId(kit.ids.next()), None);
    let late = [
        notice(kit, ann, Some(purged.id)),
        notice(kit, ann, Some(done.id)),
        congratulation,
        stranger,
    ];
    kit.store.notify(&late, &[]).await.unwrap();
    assert_eq!(listed(kit, ann).await, 1);
    let day: NaiveDate = "2026-11-21".parse().unwrap();
    kit.store.notify(&[], &[(ann, day)]).await.unwrap();
    kit.store
        .set_notice_settings(ann, &Settings::default())
        .await
        .unwrap();
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    kit.store
        .notify(&[notice(kit, ann, None)], &[(ann, day)])
        .await
        .unwrap();
    for table in [
        "notifications",
        "mails",
        "done_days",
        "notification_settings",
        "mail_allowances",
    ] {
        assert_eq!(store.rows(table).await, 0, "{table}");
    }
    let settings = Settings::default();
    let kept = kit.store.set_notice_settings(ann, &settings).await;
    assert_eq!(refusal(kept), Code::NotFound);
}

pub(crate) async fn reminds_of_what_is_still_to_be_done(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let task = reminding(kit, ann, "Milk").await;
    let moved = reminding(kit, ann, "Moved").await;
    let later = TaskPatch {
        remind_at: Some(Some(NOON.plus_ms(DAY_MS))),
        ..TaskPatch::default()
    };
    let later = kit.change(ann, moved.id, Command::Edit(later)).await;
    later.unwrap();
    let both = [task.id, moved.id].map(|id| notice(kit, ann, Some(id)));
    kit.store.notify(&both, &[]).await.unwrap();
    assert_eq!((listed(kit, ann).await, store.rows("mails").await), (1, 1));
    // Its mail is looked at again whenever it is to be sent.
    let moot = async || {
        let now = kit.clock.now();
        let mails = kit.store.claim_mails(now, now, 10).await.unwrap();
        mails[0].moot
    };
    assert!(!moot().await);
    for (command, expected) in [
        (Command::Complete(Some(true)), true),
        (Command::Complete(Some(false)), false),
        (Command::Delete, true),
    ] {
        kit.change(ann, task.id, command).await.unwrap();
        assert_eq!(moot().await, expected);
    }
}

pub(crate) async fn lists_and_marks_notifications(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    for _ in 0..3 {
        let two = [notice(kit, ann, None), notice(kit, ann, None)];
        kit.store.notify(&two, &[]).await.unwrap();
        kit.clock.advance(1_000);
    }
    let all = kit.store.notifications(ann, false, None, 10).await.unwrap();
    assert_eq!(all.len(), 6);
    assert!(all.is_sorted_by_key(|n| (std::cmp::Reverse(n.created_at), std::cmp::Reverse(n.id))));
    let mut walked = Vec::new();
    let mut place = None;
    loop {
        let part = kit.store.notifications(ann, false, place, 4).await.unwrap();
        let Some(last) = part.last() else { break };
        place = Some((last.created_at, last.id));
        walked.extend(part);
    }
    assert_eq!(walked, all);
    let now = all[0].created_at.plus_ms(5_000);
    let id = all[2].id;
    assert_eq!(kit.store.mark_read(bob, id, now).await.unwrap(), None);
    assert_eq!(kit.store.notification(bob, id).await.unwrap(), None);
    let read = kit.store.mark_read(ann, id, now).await.unwrap().unwrap();
    assert_eq!(read.read_at, Some(now));
    // It was read when it was read first.
    let again = kit.store.mark_read(ann, id, now.plus_ms(1)).await.unwrap();
    assert_eq!(again.as_ref(), Some(&read));
    assert_eq!(kit.store.notification(ann, id).await.unwrap(), again);
    let unread = kit.store.notifications(ann, true, None, 10).await.unwrap();
    assert_eq!(unread.len(), 5);
    assert!(unread.iter().all(|n| n.id != id));
    assert_eq!(kit.store.mark_all_read(bob, now).await.unwrap(), 0);
    assert_eq!(kit.store.mark_all_read(ann, now).await.unwrap(), 5);
    assert_eq!(kit.store.unread(ann).await.unwrap(), 0);
}

pub(crate) async fn keeps_the_newest_notifications(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let of_bob = notice(kit, bob, None);
    kit.store.notify(&[of_bob], &[]).await.unwrap();
    for _ in 0..3 {
        let many: Vec<_> = (0..200).map(|_| notice(kit, ann, None)).collect();
        kit.store.notify(&many, &[]).await.unwrap();
        kit.clock.advance(1_000);
    }
    let kept = kit
        .store
        .notifications(ann, false, None, 1_000)
        .await
        .unwrap();
    assert_eq!((kept.len(), listed(kit, bob).await), (500, 1));
    let newest = kept[0].created_at;
    assert_eq!(kept.iter().filter(|n| n.created_at == newest).count(), 200);
    assert_eq!(kit.feed(ann).await.len(), 600);
}

pub(crate) async fn mails_nobody_without_end(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let many = |count| Vec::from_iter((0..count).map(|_| notice(kit, ann, None)));
    kit.store.notify(&many(49), &[]).await.unwrap();
    assert_eq!(store.rows("mails").await, 49);
    kit.clock.advance(DAY_MS - 1);
    // What comes beyond it is told all the same, and others get theirs.
    let mut more = many(3);
    more.push(notice(kit, bob, None));
    kit.store.notify(&more, &[]).await.unwrap();
    kit.store.notify(&many(1), &[]).await.unwrap();
    assert_eq!(
        (listed(kit, ann).await, store.rows("mails").await),
        (53, 51)
    );
    // What was sent counts as what waits.
    let now = kit.clock.now();
    let mails = kit.store.claim_mails(now, now, 100).await.unwrap();
    let done = Vec::from_iter(mails.iter().map(|mail| Posted::Done(mail.n)));
    kit.store.settle_mails(&done).await.unwrap();
    kit.store.notify(&many(1), &[]).await.unwrap();
    assert_eq!(store.rows("mails").await, 0);
    kit.clock.advance(1);
    kit.store.notify(&many(60), &[]).await.unwrap();
    assert_eq!(store.rows("mails").await, 50);
}

pub(crate) async fn counts_streaks(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (kit.person("ann").await, kit.person("bob").await);
    let day = |text: &str| -> NaiveDate { text.parse().unwrap() };
    let (one, two, three) = (day("2026-02-28"), day("2026-03-01"), day("2026-03-02"));
    kit.store
        .notify(&[], &[(ann, one), (ann, two), (bob, one)])
        .await
        .unwrap();
    let asked = [(ann, three), (bob, three), (ann, two), (ann, one)];
    assert_eq!(
        kit.store.streaks(&asked).await.unwrap(),
        [3..=3, 1..=1, 0..=0, 0..=0]
    );
    assert_eq!(kit.store.streaks(&[]).await.unwrap(), []);
    // Days that come together count one another, in whatever order, and nobody else's.
    let four = day("2026-03-03");
    let asked = [(ann, four), (bob, four), (ann, three), (bob, two)];
    assert_eq!(
        kit.store.streaks(&asked).await.unwrap(),
        [4..=4, 1..=1, 3..=3, 2..=2]
    );
    // One that comes late counts what was noted after it.
    let early = day("2026-02-27");
    let asked = [(ann, early), (bob, early), (ann, day("2026-02-26"))];
    assert_eq!(
        kit.store.streaks(&asked).await.unwrap(),
        [2..=4, 1..=2, 1..=1]
    );
    // Doubles and what is older than what is kept leave nothing behind.
    let far = day("2028-01-01");
    kit.store
        .notify(&[], &[(ann, far), (ann, far)])
        .await
        .unwrap();
    assert_eq!(store.rows("done_days").await, 2);
}

pub(crate) async fn tells_of_a_streak_whose_days_come_late(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let mut done = Vec::new();
    for _ in 0..7 {
        let task = kit.add_titled(ann, "Task").await;
        let complete = Command::Complete(Some(true));
        kit.change(ann, task.id, complete).await.unwrap();
        done.extend(deliveries(kit, ann).await.pop());
        kit.clock.advance(DAY_MS);
    }
    let consumer = Notifications::new(kit.store.clone(), kit.clock.clone());
    let told = async |days: &[usize]| {
        let batch: Vec<_> = days.iter().map(|day| done[*day].clone()).collect();
        consumer.handle(&batch).await.unwrap();
        let list = kit.store.notifications(ann, false, None, 10).await.unwrap();
        let mut titles: Vec<_> = list.into_iter().map(|told| told.title).collect();
        titles.sort_unstable();
        titles
    };
    assert_eq!(told(&[0, 2]).await, [""; 0]);
    assert_eq!(told(&[1]).await, ["3 days in a row"]);
    assert_eq!(told(&[4, 5, 6]).await, ["3 days in a row"; 2]);
    let all = ["3 days in a row", "3 days in a row", "7 days in a row"];
    assert_eq!(told(&[3]).await, all);
    assert_eq!(told(&[0, 1, 2, 3, 4, 5, 6]).await, all);
}

pub(crate) async fn keeps_what_people_chose(store: impl TestStore) {
    let kit = store.kit();
    let (ann, bob) = (
        kit.person_in("ann", "Asia/Kathmandu").await,
        kit.person("bob").await,
    );
    let default = Settings::default();
    assert_eq!(kit.store.notice_settings(ann).await.unwrap(), default);
    let mut chosen = default;
    *chosen.of_mut(Kind::Reminder) = Channels::default();
    for _ in 0..2 {
        kit.store.set_notice_settings(ann, &chosen).await.unwrap();
    }
    assert_eq!(kit.store.notice_settings(ann).await.unwrap(), chosen);
    // Each keeps what the others chose at the same time.
    let all = |mail| Settings {
        reminder: Channels {
            mail,
            ..Channels::ALL
        },
        task_created: Channels {
            mail,
            ..Channels::ALL
        },
        task_completed: Channels {
            mail,
            ..Channels::ALL
        },
        streak: Channels {
            mail,
            ..Channels::ALL
        },
    };
    kit.store
        .set_notice_settings(ann, &all(true))
        .await
        .unwrap();
    let less = Kind::ALL.map(|kind| kit.store.unsubscribe(ann, kind));
    for done in futures_util::future::join_all(less).await {
        done.unwrap();
    }
    assert_eq!(kit.store.notice_settings(ann).await.unwrap(), all(false));
    let gone = kit.store.unsubscribe(UserId(kit.ids.next()), Kind::Streak);
    assert_eq!(refusal(gone.await), Code::NotFound);
    kit.store.set_notice_settings(ann, &chosen).await.unwrap();
    let nobody = UserId(Uuid::now_v7());
    let who = kit.store.recipients(&[ann, bob, nobody]).await.unwrap();
    assert_eq!(who.len(), 2);
    assert_eq!(who[&ann].settings, chosen);
    assert_eq!(who[&ann].time_zone, "Asia/Kathmandu");
    assert_eq!(who[&bob].settings, default);
}
