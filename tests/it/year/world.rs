//! Two replicas over one database, and what befalls them.

use std::sync::{Arc, Mutex};

use rand::{Rng, RngCore, SeedableRng, rngs::StdRng};
use sqlx::{Connection, Executor, PgConnection};
use tidings::{
    clock::{Ambient, Clock},
    mail::{Smtp, sender},
    service::retention::Retention,
    store::{KEPT_MS, Mutation, Outcome, SharedStore},
};
use tidings_domain::{id::Ids, time::Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    broker::Broker,
    replica::{Fate, Place, Replica},
};
use crate::{
    kit::Hand,
    mail::server::{Mood, SmtpServer},
    postgres,
};

const MINUTE_MS: i64 = 60_000;
/// Rounds after which nothing breaks any more until all is done.
const ROUGH: usize = 4;
/// Rounds in which all must be done.
const ROUNDS: usize = 60;

/// Ids that are the same for a seed, as clients and servers make them.
pub(super) struct Numbers {
    clock: Arc<Hand>,
    rng: Mutex<StdRng>,
}

impl Numbers {
    pub(super) fn new(clock: Arc<Hand>, seed: u64) -> Self {
        let rng = Mutex::new(StdRng::seed_from_u64(seed));
        Self { clock, rng }
    }
}

impl Ids for Numbers {
    fn next(&self) -> Uuid {
        let mut rest = [0; 10];
        self.rng.lock().unwrap().fill_bytes(&mut rest);
        let now = u64::try_from(self.clock.now().0).unwrap();
        uuid::Builder::from_unix_timestamp_millis(now, &rest).into_uuid()
    }
}

/// Has a database answer before what it wrote is on the disk.
async fn hasty(url: String) -> String {
    let sql = "DO $$ BEGIN EXECUTE format( \
        'ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$";
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection.execute(sql).await.unwrap();
    url
}

/// Everything but the people.
pub(super) struct World {
    pub(super) clock: Arc<Hand>,
    pub(super) smtp: SmtpServer,
    pub(super) broker: Arc<Broker>,
    /// How often somebody died at work.
    pub(super) deaths: usize,
    place: Place,
    holders: [Uuid; 2],
    replicas: [Replica; 2],
    rng: StdRng,
    calm: bool,
}

impl World {
    pub(super) async fn new(postgres: bool, start: Timestamp, seed: u64) -> Self {
        // What a disk keeps is for other tests: nobody waits for one here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let folder = folder.unwrap();
        let url = match postgres {
            true => hasty(postgres::database().await).await,
            false => format!("sqlite://{}", folder.path().join("t.db").display()),
        };
        let clock = Arc::new(Hand::default());
        clock.set(&start.to_string());
        let ids = Arc::new(Numbers::new(clock.clone(), seed));
        let smtp = SmtpServer::start(Mood::Kind).await;
        let broker = Arc::new(Broker::new(clock.clone(), seed ^ 1));
        let place = Place {
            url,
            ambient: Ambient {
                clock: clock.clone(),
                ids: ids.clone(),
            },
            broker: broker.clone(),
            smtp: Smtp::new(&smtp.url, sender("tidings@mail.test").unwrap()).unwrap(),
            _folder: folder,
        };
        let holders = [ids.next(), ids.next()];
        let [one, two] = holders.map(|holder| Replica::start(&place, holder));
        let replicas = [one.await, two.await];
        Self {
            clock,
            smtp,
            broker,
            deaths: 0,
            place,
            holders,
            replicas,
            rng: StdRng::seed_from_u64(seed ^ 2),
            calm: false,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn turn_to(&self, at: Timestamp) {
        self.clock.set(&at.to_string());
    }

    fn turn_on(&self, ms: i64) {
        self.turn_to(self.now().plus_ms(ms));
    }

    pub(super) fn store(&self) -> &SharedStore {
        &self.replicas[0].store
    }

    /// Nobody is there until then. What was under way is in the database or with the broker.
    pub(super) async fn sleep_until(&mut self, then: Timestamp) {
        self.turn_to(then);
        for n in 0..2 {
            self.replicas[n] = Replica::start(&self.place, self.holders[n]).await;
        }
    }

    fn fate(&mut self) -> Fate {
        match self.rng.random_range(0..100) {
            _ if self.calm => Fate::Lives,
            0..12 => Fate::Dies(self.rng.random_range(0..12)),
            12..18 => Fate::Mute,
            _ => Fate::Lives,
        }
    }

    /// What becomes of each replica; of one that has something else to do, nothing.
    fn fates(&mut self) -> [Option<Fate>; 2] {
        let fates = [self.fate(), self.fate()];
        let idle = self.rng.random_range(0..3);
        [0, 1].map(|n| (idle != n).then_some(fates[n]))
    }

    /// Now and then, one that died comes back as another, over the same database.
    async fn bury(&mut self, lived: [bool; 2]) {
        for (n, lived) in lived.into_iter().enumerate() {
            if !lived {
                self.deaths += 1;
                if self.rng.random_bool(0.1) {
                    self.replicas[n] = Replica::start(&self.place, self.holders[n]).await;
                }
            }
        }
    }

    /// Publishes, delivers and sends some of what there is.
    pub(super) async fn work(&mut self) {
        if self.unpublished().await > 0 {
            let fates = self.fates();
            let relay = async |n: usize| match fates[n] {
                Some(fate) => self.replicas[n].relay(fate).await,
                None => true,
            };
            let lived = tokio::join!(relay(0), relay(1));
            self.bury(lived.into()).await;
        }

        let fates = [self.fate(), self.fate()];
        let [first, second] = self.broker.take(self.calm);
        let [one, two] = self.replicas.each_ref();
        let handled = tokio::join!(one.handle(first, fates[0]), two.handle(second, fates[1]));
        let ((back, one_lived), (more, two_lived)) = handled;
        self.broker.put_back(back);
        self.broker.put_back(more);
        self.bury([one_lived, two_lived]).await;

        if self.unsent().await > 0 {
            let fates = self.fates();
            let drops = !self.calm && self.rng.random_bool(0.1);
            self.smtp.be(if drops { Mood::Drops } else { Mood::Kind });
            let post = async |n: usize| match fates[n] {
                Some(fate) => self.replicas[n].post(fate).await,
                None => true,
            };
            let lived = tokio::join!(post(0), post(1));
            self.bury(lived.into()).await;
        }
    }

    /// Works until there is nothing left to do, but for what comes late.
    pub(super) async fn settle(&mut self) {
        for round in 0.. {
            let left = self.unpublished().await + self.unsent().await;
            if left == 0 && self.broker.is_empty() {
                break;
            }
            assert!(round < ROUNDS, "it does not come to rest");
            self.calm = round >= ROUGH;
            self.work().await;
            // By then leases of those who died are over.
            let wait = if self.calm { 11 * MINUTE_MS } else { 20_000 };
            let wait = self.rng.random_range(1_000..=wait);
            self.turn_on(wait);
        }
        self.calm = false;
    }

    async fn unpublished(&self) -> i64 {
        let depth = self.store().depth().await.unwrap();
        depth.iter().map(|topic| topic.pending).sum()
    }

    async fn unsent(&self) -> i64 {
        self.store().mail_depth().await.unwrap().waiting
    }

    /// Tells of the reminders that are due, whoever dies over it.
    pub(super) async fn remind(&mut self) {
        loop {
            let fates = self.fates();
            let turn = async |n: usize| match fates[n] {
                Some(fate) => Some(self.replicas[n].remind(fate).await),
                None => None,
            };
            let (one, two) = tokio::join!(turn(0), turn(1));
            if one == Some(true) || two == Some(true) {
                return;
            }
            self.bury([one, two].map(|lived| lived.unwrap_or(true)))
                .await;
        }
    }

    /// Empties the trash of what has been in it for long.
    pub(super) async fn empty_trash(&mut self) {
        let replica = &self.replicas[self.rng.random_range(0..2)];
        let before = self.clock.now().plus_ms(-KEPT_MS);
        let stop = CancellationToken::new();
        let retention = Retention::new(replica.store.clone(), replica.ambient.clone());
        let emptied = async {
            let left = || replica.store.expired_trash(before, None, 1);
            while !left().await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            stop.cancel();
        };
        tokio::join!(retention.run(stop.clone()), emptied);
    }

    /// Asks one of the replicas for a change, and the other again where there was no answer, or for
    /// no reason at all.
    pub(super) async fn ask(&mut self, mutation: Mutation) -> Outcome {
        let first = self.rng.random_range(0..2);
        if let fate @ Fate::Dies(_) = self.fate() {
            let asked = self.replicas[first].store.mutate(mutation.clone());
            drop(fate.meet(asked).await);
        }
        let other = &self.replicas[1 - first].store;
        let done = other.mutate(mutation.clone()).await.unwrap();
        if self.rng.random_bool(0.05) {
            let again = self.replicas[first].store.mutate(mutation).await.unwrap();
            assert!(again.replayed && again.seq == done.seq);
        }
        done
    }
}
