//! Mail on its way out.

use tidings::store::{Mail, MailRow, Notice, Posted, QueueDepth, Receipt};
use tidings_domain::{
    id::{EventId, Ids, UserId},
    notice::{Channels, Kind},
    time::Timestamp,
};

use super::kit::{Kit, NOON, TestStore};

async fn write(kit: &Kit, user: UserId, count: usize) {
    let notice = || Notice {
        event_id: EventId(kit.ids.next()),
        user_id: user,
        kind: Kind::Streak,
        task_id: None,
        remind_at: None,
        channels: Channels {
            mail: true,
            ..Channels::default()
        },
        title: "3 days".into(),
        body: "On each.".into(),
        subject: "3 days".into(),
        traceparent: None,
    };
    let notices: Vec<_> = (0..count).map(|_| notice()).collect();
    kit.store.notify(&notices, &[]).await.unwrap();
}

async fn claim(kit: &Kit, now: Timestamp, limit: usize) -> Vec<Mail> {
    let until = now.plus_ms(1_000);
    kit.store.claim_mails(now, until, limit).await.unwrap()
}

pub(crate) async fn hands_mail_out_once(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    assert_eq!(claim(kit, NOON, 10).await, []);
    write(kit, ann, 5).await;
    let (one, two) = tokio::join!(claim(kit, NOON, 3), claim(kit, NOON, 3));
    let mut rows: Vec<_> = one.iter().chain(&two).map(|mail| mail.n).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), 5);
    let mail = &one[0];
    assert_eq!(
        (mail.user_id, &*mail.email, &*mail.name),
        (ann, "ann@Example.org", "ann")
    );
    assert_eq!((mail.kind, &*mail.subject), (Some(Kind::Streak), "3 days"));
    assert_eq!((&*mail.link, &*mail.link_text), ("/", "Open Tidings"));
    assert_eq!((mail.created_at, mail.attempts), (NOON, 0));
    assert_eq!(claim(kit, NOON, 10).await, []);
    // Whoever had it in hand is gone.
    let again = claim(kit, NOON.plus_ms(1_000), 10).await;
    assert_eq!(again.len(), 5);
    let again = again.iter().find(|other| other.n == mail.n).unwrap();
    assert_eq!(again, mail);
}

pub(crate) async fn settles_mail(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    write(kit, ann, 3).await;
    let mails = claim(kit, NOON, 10).await;
    let [done, later, never] = [0, 1, 2].map(|n: usize| mails[n].n);
    let at = NOON.plus_ms(60_000);
    let posted = [
        Posted::Done(done),
        Posted::Retry {
            n: later,
            at,
            error: "busy".into(),
        },
        Posted::Aside {
            n: never,
            error: "550\0".into(),
        },
    ];
    kit.store.settle_mails(&posted).await.unwrap();
    let depth = |waiting, aside| QueueDepth { waiting, aside };
    assert_eq!(kit.store.mail_depth().await.unwrap(), depth(1, 1));
    assert_eq!(claim(kit, at.plus_ms(-1), 10).await, []);
    let due = claim(kit, at, 10).await;
    assert_eq!((due.len(), due[0].n, due[0].attempts), (1, later, 1));
    // Both are told of, and what did not fail is not.
    write(kit, ann, 1).await;
    let unsent = kit.store.mails_unsent(0, 10).await.unwrap();
    let told: Vec<_> = unsent.iter().map(|row| (row.n, row.user_id)).collect();
    assert_eq!(told, [(later, ann), (never, ann)]);
    assert_eq!((&*unsent[0].error, unsent[0].attempts), ("busy", 1));
    assert!(unsent[0].again > Some(at) && unsent[1].again.is_none());
    assert!(unsent[1].error.starts_with("550"));
    assert_eq!(kit.store.mails_unsent(0, 1).await.unwrap(), unsent[..1]);
    assert_eq!(
        kit.store.mails_unsent(later, 10).await.unwrap(),
        unsent[1..]
    );
    assert_eq!(kit.store.mails_unsent(never, 10).await.unwrap(), []);
    let fresh = claim(kit, at, 10).await[0].n;
    let fresh = [Posted::Done(fresh)];
    kit.store.settle_mails(&fresh).await.unwrap();
    assert_eq!(kit.store.put_mails_back(Some(later), at).await.unwrap(), 0);
    assert_eq!(kit.store.drop_mails(Some(later)).await.unwrap(), 0);
    assert_eq!(kit.store.put_mails_back(None, at).await.unwrap(), 1);
    let due = claim(kit, at, 10).await;
    assert_eq!((due.len(), due[0].n, due[0].attempts), (1, never, 0));
    // A fresh start: it is tried for as long as any other.
    assert_eq!(due[0].created_at, at);
    let aside = Posted::Aside {
        n: never,
        error: "550".into(),
    };
    kit.store.settle_mails(&[aside]).await.unwrap();
    assert_eq!(kit.store.drop_mails(None).await.unwrap(), 1);
    assert_eq!(kit.store.mail_depth().await.unwrap(), depth(1, 0));
}

pub(crate) async fn writes_one_mail_once(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let row = |user_id| MailRow {
        id: kit.ids.next(),
        user_id,
        kind: None,
        task_id: None,
        subject: "Welcome".into(),
        body: "Hello.".into(),
        link: "/inbox".into(),
        link_text: "Open",
        created_at: NOON.0,
    };
    let receipt = |consumer| Receipt {
        consumer,
        event_id: EventId(kit.ids.next()),
    };
    let (once, other) = (receipt("onboarding"), receipt("onboarding"));
    let write = async |user, receipt| kit.store.write_mail(&row(user), receipt).await.unwrap();
    tokio::join!(
        write(ann, Some(once)),
        write(ann, Some(once)),
        write(ann, Some(once))
    );
    write(ann, Some(other)).await;
    assert_eq!(claim(kit, NOON, 10).await.len(), 2);
    assert_eq!(store.rows("inbox").await, 2);
    // Without a receipt, as often as it is asked.
    write(ann, None).await;
    write(ann, None).await;
    let mails = claim(kit, NOON, 10).await;
    assert_eq!((mails.len(), mails[0].kind), (2, None));
    assert_eq!((&*mails[0].link, &*mails[0].body), ("/inbox", "Hello."));
    // Nobody is written to who is not there, and nothing of it stays.
    let nobody = UserId(kit.ids.next());
    write(nobody, Some(receipt("onboarding"))).await;
    write(nobody, None).await;
    assert_eq!(
        (store.rows("mails").await, store.rows("inbox").await),
        (4, 2)
    );
}

pub(crate) async fn makes_its_secret_once(mut store: impl TestStore) {
    let secret = store.kit().store.mail_secret("one").await.unwrap();
    assert_eq!(secret, "one");
    store.reopen().await;
    assert_eq!(store.kit().store.mail_secret("two").await.unwrap(), "one");
}
