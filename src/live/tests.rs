use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use tokio::sync::broadcast::error::RecvError;
use uuid::Uuid;

use super::*;
use crate::store::StoredEvent;

/// Logs as their trait describes them, in memory.
#[derive(Default)]
struct Logs {
    heads: Mutex<HashMap<UserId, i64>>,
    reads: AtomicI64,
    unread: AtomicI64,
    is_broken: AtomicBool,
}

impl Logs {
    fn write(&self, user: UserId, events: i64) {
        *self.heads.lock().unwrap().entry(user).or_default() += events;
    }
}

#[async_trait]
impl Feeds for Logs {
    fn epoch(&self) -> Uuid {
        Uuid::nil()
    }

    async fn head(&self, user: UserId) -> Result<i64> {
        Ok(self.heads.lock().unwrap().get(&user).copied().unwrap_or(0))
    }

    async fn events(
        &self,
        user: UserId,
        after: i64,
        limit: usize,
    ) -> Result<(i64, Vec<StoredEvent>)> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        assert!(!self.is_broken.load(Ordering::SeqCst), "a fault of ours");
        let head = self.head(user).await?;
        let event = |seq| StoredEvent {
            seq,
            json: format!(r#"{{"seq":{seq}}}"#).into(),
        };
        Ok((head, (after + 1..=head).take(limit).map(event).collect()))
    }

    async fn recent(&self, _: UserId, _: i64, _: usize) -> Result<Vec<StoredEvent>> {
        Ok(Vec::new())
    }

    async fn unread(&self, _: UserId) -> Result<i64> {
        Ok(self.unread.load(Ordering::SeqCst))
    }
}

fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n))
}

fn hub(poll: Option<Duration>) -> (Arc<Hub>, Arc<Logs>) {
    (Hub::new(poll, CancellationToken::new()), Arc::default())
}

/// The next pulse that has a frame.
async fn next(seat: &mut Seat) -> (i64, i64, Utf8Bytes) {
    loop {
        let pulse = seat.pulses.recv().await.unwrap();
        if let Some(frame) = pulse.frame {
            return (pulse.from, pulse.to, frame);
        }
    }
}

/// Waits until the pump has said how far the log goes.
async fn settled(seat: &mut Seat) -> i64 {
    let pulse = seat.pulses.recv().await.unwrap();
    assert_eq!(pulse.frame, None);
    pulse.to
}

#[tokio::test(start_paused = true)]
async fn one_read_of_the_log_serves_all_sockets_of_a_person() {
    let (hub, logs) = hub(None);
    logs.write(user(1), 3);
    let mut seats: Vec<_> = (0..SOCKETS_MAX)
        .map(|_| hub.seat(user(1), logs.clone()).unwrap())
        .collect();
    for seat in &mut seats {
        assert_eq!(settled(seat).await, 3);
    }
    logs.write(user(1), 2);
    hub.wake(&[user(1), user(2)]);
    for seat in &mut seats {
        let (from, to, frame) = next(seat).await;
        assert_eq!((from, to), (4, 5));
        assert_eq!(
            frame.as_str(),
            r#"{"t":"events","from":4,"to":5,"items":[{"seq":4},{"seq":5}]}"#
        );
    }
    assert_eq!(logs.reads.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn other_people_are_not_woken() {
    let (hub, logs) = hub(None);
    let mut one = hub.seat(user(1), logs.clone()).unwrap();
    let mut other = hub.seat(user(2), logs.clone()).unwrap();
    settled(&mut one).await;
    settled(&mut other).await;
    logs.write(user(1), 1);
    hub.wake(&[user(1)]);
    next(&mut one).await;
    assert!(other.pulses.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_seats_and_one_that_is_given_up_is_free_again() {
    let (hub, logs) = hub(None);
    let mut seats: Vec<_> = (0..SOCKETS_MAX)
        .map(|_| hub.seat(user(1), logs.clone()).unwrap())
        .collect();
    assert!(hub.seat(user(1), logs.clone()).is_none());
    assert!(
        hub.seat(user(2), logs.clone()).is_some(),
        "others have their own"
    );
    seats.pop();
    assert!(hub.seat(user(1), logs.clone()).is_some());
    drop(seats);
    assert_eq!(hub.sockets(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_socket_is_told_that_it_missed_something() {
    let (hub, logs) = hub(None);
    let mut seat = hub.seat(user(1), logs.clone()).unwrap();
    let mut quick = hub.seat(user(1), logs.clone()).unwrap();
    settled(&mut quick).await;
    for seq in 1..=2 * BACKLOG as i64 {
        logs.write(user(1), 1);
        hub.wake(&[user(1)]);
        assert_eq!(next(&mut quick).await.0, seq);
    }
    let missed = seat.pulses.recv().await;
    assert!(matches!(missed, Err(RecvError::Lagged(_))), "{missed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_up_is_covered_by_the_poll() {
    let (hub, logs) = hub(Some(Duration::from_secs(3)));
    let mut seat = hub.seat(user(1), logs.clone()).unwrap();
    settled(&mut seat).await;
    logs.write(user(1), 250);
    let mut cursor = 0;
    while cursor < 250 {
        let (from, to, _) = next(&mut seat).await;
        assert_eq!(from, cursor + 1);
        cursor = to;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_delivery_does_not_wake() {
    let (hub, logs) = hub(None);
    logs.write(user(1), 3);
    let mut seat = hub.seat(user(1), logs.clone()).unwrap();
    settled(&mut seat).await;
    hub.wake_for(user(1), 3);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(logs.reads.load(Ordering::SeqCst), 0);
    logs.write(user(1), 1);
    hub.wake_for(user(1), 4);
    assert_eq!(next(&mut seat).await.1, 4);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_messages_at_once_cost_no_more_than_reading_on() {
    const MESSAGES: i64 = 1_000;
    let (hub, logs) = hub(None);
    let mut seat = hub.seat(user(1), logs.clone()).unwrap();
    settled(&mut seat).await;
    logs.write(user(1), MESSAGES);
    for seq in 1..=MESSAGES {
        hub.wake_for(user(1), seq);
        if seq % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    while next(&mut seat).await.1 < MESSAGES {}
    tokio::time::sleep(Duration::from_secs(1)).await;
    let pages = MESSAGES / PAGE as i64;
    // And one more, for a wake-up while it read.
    assert!(logs.reads.load(Ordering::SeqCst) <= pages + 1);
}

#[tokio::test(start_paused = true)]
async fn pumps_end_with_the_last_seat_and_with_the_server() {
    let stop = CancellationToken::new();
    let hub = Hub::new(None, stop.clone());
    let logs: Arc<Logs> = Arc::default();
    drop(hub.seat(user(1), logs.clone()));
    let seat = hub.seat(user(2), logs.clone());
    while hub.tasks().len() > 1 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    hub.drained().await;
    drop(seat);
}

#[tokio::test(start_paused = true)]
async fn a_pump_that_fails_is_noticed() {
    let (hub, logs) = hub(None);
    let mut seat = hub.seat(user(1), logs.clone()).unwrap();
    settled(&mut seat).await;
    let ended = hub.seat(user(2), logs.clone()).unwrap();
    drop(ended);
    tokio::task::yield_now().await;
    assert!(!hub.failed().is_cancelled());
    logs.is_broken.store(true, Ordering::SeqCst);
    hub.wake(&[user(1)]);
    let noticed = tokio::time::timeout(RECOVER, hub.failed().cancelled());
    noticed.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_bell_rings_when_something_is_told_or_read_and_not_otherwise() {
    let (hub, logs) = hub(None);
    let seat = hub.seat(user(1), logs.clone()).unwrap();
    let mut bell = seat.bell();
    assert_eq!(bell.rings().await, 0);
    logs.unread.store(2, Ordering::SeqCst);
    hub.wake(&[user(1)]);
    assert_eq!(bell.rings().await, 2);
    let mut other = hub.seat(user(1), logs.clone()).unwrap().bell();
    assert_eq!(other.rings().await, 2, "at once");
    logs.write(user(1), 1);
    hub.wake(&[user(1)]);
    let quiet = tokio::time::timeout(RECOVER, bell.rings()).await;
    assert!(quiet.is_err(), "a task changed");
    logs.unread.store(0, Ordering::SeqCst);
    hub.wake(&[user(1)]);
    assert_eq!((bell.rings().await, other.rings().await), (0, 0));
}
