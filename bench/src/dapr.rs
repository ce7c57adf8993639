//! What it costs to publish every change through a sidecar, and how soon it arrives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::{
    Outcome,
    http::Connection,
    live::{Watch, part},
    load::{Until, drive},
    person::Person,
    place::{LOOK, Place, Replica},
    postgres::Postgres,
    report,
};

/// Measures with sidecars.
pub(crate) const ARGUMENT: &str = "dapr";

/// People who create.
const WRITERS: usize = 50;
const CONNECTIONS: usize = 64;
/// One turn of creating; each side has two, after one that is not counted.
const TURN: Until = Until::Passed(Duration::from_secs(2));
const WARM: Until = Until::Passed(Duration::from_millis(500));
/// Each task that is created is told on two topics.
const TOPICS: usize = 2;
/// Rows of the outbox that are drained, on SQLite; the others only tell how fast.
const ROWS: usize = 100_000;
const ROWS_OF_MANY: usize = 20_000;
const ROWS_OF_ONE: usize = 4_000;
/// Changes whose frames are timed, and the pause before each.
const CHANGES: usize = 200;
const PAUSE: Duration = Duration::from_millis(40);
/// Changes before them, which are not.
const UNTIMED: usize = 20;
/// A sidecar that takes nothing for so long is given up.
const STALLED: Duration = Duration::from_secs(30);
/// Between two creates of others meanwhile.
const MEANWHILE: Duration = Duration::from_millis(10);
/// Every role.
const ALL: &str = "all";

/// Everything.
pub(crate) async fn figures() -> Outcome {
    let postgres = Postgres::start().await?;
    report::head("Tidings", "beside");
    report::group("Creates, 64 connections: publishing, beside not publishing");
    publishing("SQLite", None).await?;
    publishing("PostgreSQL", Some(&postgres)).await?;
    report::group("Creates, 64 connections: two replicas that publish, beside one");
    replicas(&postgres).await?;
    report::group("Creates published a second, two rows each, beside creates accepted before");
    relay().await?;
    drain("SQLite, 100,000 rows, all roles", None, ROWS).await?;
    let what = "PostgreSQL, 20,000 rows, all roles";
    drain(what, Some(&postgres), ROWS_OF_MANY).await?;
    report::group(
        "From sending a create to its frame on the other replica (commit to frame is less)",
    );
    frames(&postgres).await
}

/// A replica, and people to create with.
struct Scene {
    replica: Replica,
    people: Vec<Person>,
}

impl Scene {
    async fn new(replica: Replica) -> Outcome<Self> {
        let people = Person::several(replica.program.address, WRITERS).await?;
        replica.quiet().await?;
        Ok(Self { replica, people })
    }

    /// Creates over these replicas together, and counts the answers a second.
    async fn create(&self, at: &[&Replica], connections: usize, until: Until) -> Outcome<f64> {
        let each = connections / at.len();
        let each = at.iter().enumerate().map(|(nth, replica)| {
            // The people of all connections are the same, over however many replicas.
            drive(replica.program.address, each, until, move |n| {
                let person = self.people.get((nth * each + n) % WRITERS);
                person.map(|p| p.create(false)).unwrap_or_default()
            })
        });
        Ok(try_join_all(each).await?.iter().sum())
    }

    /// Has rows wait in the outbox, since there is no sidecar, and then has the sidecar take them: how
    /// many tasks a second were created, and how many published, and what the program's memory was
    /// before and at most.
    async fn drain(&mut self, place: &Place, connections: usize, rows: usize) -> Outcome<Drained> {
        let each = Until::Sent(rows / TOPICS / connections);
        let accepted = self.create(&[&self.replica], connections, each).await?;
        let before = self.replica.published().await?;
        let began = self.replica.program.memory()?;
        let handled = self.replica.handled().await?;
        self.replica.join(place)?;
        let (mut peak, mut start) = (began, None);
        let (mut moved, mut last) = (Instant::now(), 0);
        // To be asked costs the program a walk of what waits.
        let look = LOOK * (rows / ROWS_OF_MANY).max(1) as u32;
        let time = loop {
            sleep(look).await;
            let published = self.replica.published().await? - before;
            peak = peak.max(self.replica.program.memory()?);
            if published > last {
                (moved, last) = (Instant::now(), published);
            } else if moved.elapsed() > STALLED {
                return Err(format!("the sidecar took {last} of {rows} rows, and no more").into());
            }
            match start {
                // What was taken before the first look counts as nothing, and its time as none.
                None if published > 0 => start = Some((Instant::now(), published)),
                Some((start, first)) if published >= rows as u64 => {
                    break start.elapsed().as_secs_f64() * rows as f64
                        / (rows as u64 - first) as f64;
                }
                _ => {}
            }
        };
        let tasks = rows / TOPICS;
        let whole = match (self.replica.hears, start) {
            (true, Some((start, _))) => {
                self.replica.handles(handled + tasks as u64).await?;
                Some(tasks as f64 / start.elapsed().as_secs_f64())
            }
            _ => None,
        };
        self.replica.leave().await?;
        Ok(Drained {
            accepted,
            published: tasks as f64 / time,
            handled: whole,
            began,
            peak,
        })
    }
}

/// Tasks a second, and bytes.
struct Drained {
    accepted: f64,
    published: f64,
    /// Those that have come back and were handled; nothing where none are delivered.
    handled: Option<f64>,
    began: u64,
    peak: u64,
}

/// What publishing costs whoever creates.
async fn publishing(what: &str, postgres: Option<&Postgres>) -> Outcome {
    let place = Place::new(postgres, "loud").await?;
    let mut replica = Replica::start(&place, ALL).await?;
    replica.join(&place)?;
    replica.joined().await?;
    let loud = Scene::new(replica).await?;
    let place = Place::new(postgres, "silent").await?;
    let silent = Scene::new(Replica::silent(&place).await?).await?;

    for scene in [&silent, &loud] {
        scene.create(&[&scene.replica], CONNECTIONS, WARM).await?;
        scene.replica.quiet().await?;
    }
    // By turns, since the machine is not the same from one moment to the next.
    let (mut with, mut without) = (0., 0.);
    for is_loud in [false, true, true, false] {
        let (scene, sum) = match is_loud {
            true => (&loud, &mut with),
            false => (&silent, &mut without),
        };
        *sum += scene.create(&[&scene.replica], CONNECTIONS, TURN).await? / 2.;
        scene.replica.quiet().await?;
    }
    report::rate(what, with, without, Some(0.85));
    Ok(())
}

/// Whether a second replica helps.
async fn replicas(postgres: &Postgres) -> Outcome {
    let place = Place::new(Some(postgres), "replicas").await?;
    let (one, other) = pair(&place).await?;
    let scene = Scene::new(one).await?;
    let both = [&scene.replica, &other];
    scene.create(&both, CONNECTIONS, WARM).await?;
    quiet(&both).await?;
    let (mut two, mut alone) = (0., 0.);
    for is_both in [false, true, true, false] {
        let (at, sum) = match is_both {
            true => (&both[..], &mut two),
            false => (&both[..1], &mut alone),
        };
        *sum += scene.create(at, CONNECTIONS, TURN).await? / 2.;
        quiet(&both).await?;
    }
    report::rate("PostgreSQL", two, alone, Some(1.));
    Ok(())
}

/// Waits until all of them have nothing more to do.
async fn quiet(replicas: &[&Replica]) -> Outcome {
    for replica in replicas {
        replica.quiet().await?;
    }
    Ok(())
}

async fn pair(place: &Place) -> Outcome<(Replica, Replica)> {
    let mut one = Replica::start(place, ALL).await?;
    let mut other = Replica::start(place, ALL).await?;
    one.join(place)?;
    other.join(place)?;
    one.joined().await?;
    other.joined().await?;
    Ok((one, other))
}

/// How fast the relay is where nothing is delivered back.
async fn relay() -> Outcome {
    let place = Place::new(None, "relay").await?;
    let mut scene = Scene::new(Replica::start(&place, "web").await?).await?;
    for (what, people, rows) in [
        ("SQLite, 50 people, nobody consumes", WRITERS, ROWS_OF_MANY),
        ("SQLite, one person, nobody consumes", 1, ROWS_OF_ONE),
    ] {
        let drained = scene.drain(&place, people, rows).await?;
        report::rate(what, drained.published, drained.accepted, None);
    }
    Ok(())
}

/// How fast many rows go where everything is delivered back, and in how much memory.
async fn drain(what: &str, postgres: Option<&Postgres>, rows: usize) -> Outcome {
    let place = Place::new(postgres, "drain").await?;
    let mut scene = Scene::new(Replica::start(&place, ALL).await?).await?;
    let drained = scene.drain(&place, WRITERS, rows).await?;
    report::rate(what, drained.published, drained.accepted, Some(0.5));
    if let Some(handled) = drained.handled {
        report::rate("  delivered and handled", handled, drained.accepted, None);
    }
    report::grown(
        "  memory at most, beside before",
        drained.began,
        drained.peak,
    );
    Ok(())
}

/// How soon the other replica tells of a change: what is committed here is only delivered there.
async fn frames(postgres: &Postgres) -> Outcome {
    let place = Place::new(Some(postgres), "frames").await?;
    let (one, other) = pair(&place).await?;
    let scene = Scene::new(one).await?;
    let (person, others) = scene.people.split_first().ok_or("nobody")?;
    let person = std::slice::from_ref(person);
    let mut watch = Watch::default();
    watch.open(&other.program, &person[0], 1).await?;
    let here = &scene.replica.program;

    watch.time(here, person, 1, UNTIMED, PAUSE).await?;
    let times = watch.time(here, person, 1, CHANGES, PAUSE).await?;
    let what = "one change at a time (aim: 10, 50)";
    report::time(what, part(&times, 50), part(&times, 99));

    let (address, others) = (here.address, others.to_vec());
    let sent = Arc::new(AtomicU64::new(0));
    let counted = sent.clone();
    let mut meanwhile = JoinSet::new();
    meanwhile.spawn(async move {
        let mut connection = Connection::open(address).await?;
        let mut turns = interval(MEANWHILE);
        for person in others.iter().cycle() {
            turns.tick().await;
            connection.send(&person.create(false)).await?;
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Outcome::Ok(())
    });
    watch.time(here, person, 1, UNTIMED, PAUSE).await?;
    let (start, before) = (Instant::now(), sent.load(Ordering::Relaxed));
    let times = watch.time(here, person, 1, CHANGES, PAUSE).await?;
    let rate = (sent.load(Ordering::Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
    if let Some(ended) = meanwhile.try_join_next() {
        ended??;
    }
    let what = format!("while others make {rate:.0} a second (10, 50)");
    report::time(&what, part(&times, 50), part(&times, 99));
    Ok(())
}
