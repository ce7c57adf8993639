//! Accounts, sessions and tokens.

use tidings::store::{ProfileChange, Session, Token};
use tidings_domain::{error::Code, event::EventType, id::UserId};
use uuid::Uuid;

use super::kit::{Kit, NOON, TestStore, refusal};

fn session(user: UserId, token: u8) -> Session {
    Session {
        token_hash: [token; 32],
        user_id: user,
        created_at: NOON,
        expires_at: NOON.plus_ms(1000),
    }
}

async fn begin(kit: &Kit, user: UserId, token: u8) -> [u8; 32] {
    let session = session(user, token);
    let event = kit.loose(EventType::LoggedIn, Some(user));
    let account = kit.store.account(user).await.unwrap().unwrap();
    let proven = account.password_hash;
    let begun = kit.store.create_session(&session, &proven, &event).await;
    begun.unwrap();
    session.token_hash
}

pub(crate) async fn begins_no_session_with_an_old_password(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let old = kit.store.account(ann).await.unwrap().unwrap().password_hash;
    let event = kit.loose(EventType::PasswordChanged, Some(ann));
    let set = async |new: &str| {
        let set = kit.store.set_password(ann, &old, new, None, &event);
        set.await.unwrap()
    };
    // Of two changes that know the same password, one wins.
    assert!(set("$argon2id$new").await && !set("$argon2id$newer").await);
    let kept = kit.store.account(ann).await.unwrap().unwrap();
    assert_eq!(kept.password_hash, "$argon2id$new");
    let session = session(ann, 9);
    let event = kit.loose(EventType::LoggedIn, Some(ann));
    let late = kit.store.create_session(&session, &old, &event).await;
    assert_eq!(refusal(late), Code::InvalidCredentials);
    assert!(!is_signed_in(kit, &session.token_hash).await);
}

async fn is_signed_in(kit: &Kit, hash: &[u8; 32]) -> bool {
    kit.store.session(hash, NOON).await.unwrap().is_some()
}

pub(crate) async fn registers_once(store: impl TestStore) {
    let kit = store.kit();
    let account = kit.account("ann", "Europe/Berlin");
    let event = kit.loose(EventType::UserRegistered, Some(account.user.id));
    let first = session(account.user.id, 1);
    let signed_in = kit.loose(EventType::LoggedIn, Some(account.user.id));
    let registered = kit
        .store
        .register(&account, &event, Some((&first, &signed_in)));
    registered.await.unwrap();
    assert!(is_signed_in(kit, &first.token_hash).await);
    let twin = kit.account("ANN", "UTC");
    let event = kit.loose(EventType::UserRegistered, Some(twin.user.id));
    let second = session(twin.user.id, 2);
    let signed_in = kit.loose(EventType::LoggedIn, Some(twin.user.id));
    let registered = kit
        .store
        .register(&twin, &event, Some((&second, &signed_in)));
    assert_eq!(refusal(registered.await), Code::EmailTaken);
    assert!(!is_signed_in(kit, &second.token_hash).await);
    assert_eq!(
        kit.store
            .account(twin.user.id)
            .await
            .unwrap()
            .map(|a| a.user),
        None
    );
    let found = kit
        .store
        .account_by_email("ann@example.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.user, account.user);
    assert_eq!(found.password_hash, account.password_hash);
    assert_eq!(
        kit.store
            .account_by_email("bob@example.org")
            .await
            .unwrap()
            .map(|a| a.user),
        None
    );
    assert_eq!(kit.store.head(account.user.id).await.unwrap(), 0);
    // Two events went out, and neither stands in a feed.
    let rows = kit
        .store
        .claim(Uuid::nil(), NOON, NOON.plus_ms(1), 10)
        .await
        .unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].event_type, "audit.user.logged_in");
    assert_eq!(rows[0].subject, account.user.id.to_string());
    let event: tidings_domain::event::Event = serde_json::from_str(&rows[0].json).unwrap();
    assert_eq!(
        (event.event_type, event.seq),
        (EventType::UserRegistered, None)
    );
}

pub(crate) async fn changes_an_account(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let name = ProfileChange {
        name: Some("Anna".into()),
        ..ProfileChange::default()
    };
    let rest = ProfileChange {
        time_zone: Some("Asia/Tokyo".into()),
        theme: Some("dark".into()),
        ..ProfileChange::default()
    };
    // Each leaves what the other sets.
    kit.store.update_account(ann, &name).await.unwrap();
    let told = kit.store.update_account(ann, &rest).await.unwrap();
    let kept = kit.store.account(ann).await.unwrap().unwrap();
    for account in [told, kept] {
        let user = account.user;
        assert_eq!((&*user.name, &*user.time_zone), ("Anna", "Asia/Tokyo"));
        assert_eq!(account.theme, "dark");
    }
    assert_eq!(kit.add_titled(ann, "Tea").await.time_zone, "Asia/Tokyo");
    let nobody = UserId(Uuid::now_v7());
    let unknown = kit.store.update_account(nobody, &name).await;
    assert_eq!(refusal(unknown), Code::NotFound);
}

pub(crate) async fn keeps_sessions(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let (one, two, three) = (
        begin(kit, ann, 1).await,
        begin(kit, ann, 2).await,
        begin(kit, ann, 3).await,
    );
    let bobs = begin(kit, bob, 4).await;
    let (session, account) = kit.store.session(&one, NOON).await.unwrap().unwrap();
    assert_eq!((session.user_id, account.user.id), (ann, ann));
    assert!(
        kit.store
            .session(&one, NOON.plus_ms(1000))
            .await
            .unwrap()
            .is_none()
    );
    kit.store
        .extend_session(&one, NOON.plus_ms(2000))
        .await
        .unwrap();
    assert!(
        kit.store
            .session(&one, NOON.plus_ms(1000))
            .await
            .unwrap()
            .is_some()
    );
    let out = || kit.loose(EventType::LoggedOut, Some(ann));
    // Nobody ends another's session.
    kit.store
        .end_session(&bobs, ann, false, &out())
        .await
        .unwrap();
    assert!(is_signed_in(kit, &bobs).await);
    kit.store
        .end_session(&one, ann, false, &out())
        .await
        .unwrap();
    assert!(!is_signed_in(kit, &one).await && is_signed_in(kit, &two).await);
    let changed = kit.loose(EventType::PasswordChanged, Some(ann));
    let old = "$argon2id$secret";
    let set = kit
        .store
        .set_password(ann, old, "$new", Some(&two), &changed);
    assert!(set.await.unwrap());
    assert!(is_signed_in(kit, &two).await && !is_signed_in(kit, &three).await);
    assert_eq!(
        kit.store.account(ann).await.unwrap().unwrap().password_hash,
        "$new"
    );
    let four = begin(kit, ann, 5).await;
    kit.store
        .end_session(&two, ann, true, &out())
        .await
        .unwrap();
    assert!(!is_signed_in(kit, &two).await && !is_signed_in(kit, &four).await);
    assert!(is_signed_in(kit, &bobs).await);
    let six = begin(kit, ann, 6).await;
    let changed = kit.loose(EventType::PasswordChanged, Some(ann));
    let set = kit
        .store
        .set_password(ann, "$new", "$newer", None, &changed);
    assert!(set.await.unwrap());
    assert!(!is_signed_in(kit, &six).await);
}

pub(crate) async fn keeps_tokens(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let mut made = Vec::new();
    for n in 0..2 {
        let token = Token {
            id: Uuid::now_v7(),
            name: format!("token {n}"),
            created_at: NOON.plus_ms(n),
        };
        let event = kit.loose(EventType::TokenCreated, Some(ann));
        let hash = [n as u8; 32];
        let kept = kit.store.create_token(ann, &token, &hash, 2, &event);
        assert!(kept.await.unwrap());
        made.insert(0, token);
    }
    // A third is one too many, for her.
    for (user, fits) in [(ann, false), (bob, true)] {
        let token = Token {
            id: Uuid::now_v7(),
            ..made[0].clone()
        };
        let event = kit.loose(EventType::TokenCreated, Some(user));
        let kept = kit.store.create_token(user, &token, &[9; 32], 2, &event);
        assert_eq!(kept.await.unwrap(), fits);
    }
    assert_eq!(kit.store.tokens(ann).await.unwrap(), made);
    assert_eq!(kit.store.tokens(bob).await.unwrap().len(), 1);
    let owner = kit.store.token_account(&[1; 32]).await.unwrap().unwrap();
    assert_eq!(owner.user.id, ann);
    let revoked = || kit.loose(EventType::TokenRevoked, Some(ann));
    assert!(
        !kit.store
            .revoke_token(bob, made[0].id, &revoked())
            .await
            .unwrap()
    );
    assert!(
        kit.store
            .revoke_token(ann, made[0].id, &revoked())
            .await
            .unwrap()
    );
    assert!(
        !kit.store
            .revoke_token(ann, made[0].id, &revoked())
            .await
            .unwrap()
    );
    assert!(kit.store.token_account(&[1; 32]).await.unwrap().is_none());
    assert_eq!(kit.store.tokens(ann).await.unwrap().len(), 1);
}

pub(crate) async fn forgets_a_person(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let bob = kit.person("bob").await;
    let task = kit.add_titled(ann, "A secret").await;
    kit.add_titled(bob, "Bob's own").await;
    let session = begin(kit, ann, 1).await;
    let event = kit.loose(EventType::UserDeleted, Some(ann));
    kit.store.delete_account(ann, &event).await.unwrap();
    assert!(kit.store.account(ann).await.unwrap().is_none());
    assert!(
        kit.store
            .account_by_email("ann@example.org")
            .await
            .unwrap()
            .is_none()
    );
    assert!(!is_signed_in(kit, &session).await);
    assert_eq!(kit.store.task(ann, task.id).await.unwrap(), None);
    assert_eq!(kit.store.events(ann, 0, 10).await.unwrap(), (0, Vec::new()));
    assert_eq!(kit.store.snapshot(ann).await.unwrap(), (0, Vec::new()));
    let rows = kit
        .store
        .claim(Uuid::nil(), NOON, NOON.plus_ms(1), 100)
        .await
        .unwrap();
    let anns: Vec<_> = rows.iter().filter(|r| r.user_id == Some(ann)).collect();
    assert_eq!(anns.len(), 1);
    assert_eq!(anns[0].event_type, "user.deleted");
    assert!(!format!("{rows:?}").contains("secret"));
    assert_eq!(kit.feed(bob).await.len(), 1);
    let again = kit.loose(EventType::UserDeleted, Some(ann));
    assert_eq!(
        refusal(kit.store.delete_account(ann, &again).await),
        Code::NotFound
    );
    // The email is free again.
    kit.person("ann").await;
    assert_eq!(store.faults().await, Vec::<String>::new());
}

pub(crate) async fn tells_whose_account_changed(store: impl TestStore) {
    let kit = store.kit();
    let ann = kit.person("ann").await;
    let hash = begin(kit, ann, 1).await;
    kit.add_titled(ann, "Milk").await;
    let token = Token {
        id: Uuid::now_v7(),
        name: "Phone".into(),
        created_at: NOON,
    };
    let event = kit.loose(EventType::TokenCreated, Some(ann));
    let kept = kit.store.create_token(ann, &token, &[2; 32], 2, &event);
    assert!(kept.await.unwrap());
    let event = kit.loose(EventType::LoggedOut, Some(ann));
    let told = || kit.commits.1.lock().unwrap().drain(..).collect::<Vec<_>>();
    assert_eq!(told(), [], "nothing of it changed");
    let change = ProfileChange::default();
    kit.store.update_account(ann, &change).await.unwrap();
    assert_eq!(told(), [ann]);
    let old = "$argon2id$secret";
    let set = kit
        .store
        .set_password(ann, old, "$new", Some(&hash), &event);
    assert!(set.await.unwrap());
    assert_eq!(told(), [ann]);
    let revoked = kit.store.revoke_token(ann, token.id, &event);
    assert!(revoked.await.unwrap());
    assert_eq!(told(), [ann]);
    let ended = kit.store.end_session(&hash, ann, false, &event);
    ended.await.unwrap();
    assert_eq!(told(), [ann]);
    kit.store.delete_account(ann, &event).await.unwrap();
    assert_eq!(told(), [ann]);
}
