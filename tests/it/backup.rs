//! Backups: made while people work, and put in the place of a database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tidings::{
    clock::{Ambient, RandomIds},
    commands,
    store::{SharedStore, SqliteStore, Store, backup},
};
use tidings_domain::command::Command;
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    crash::server::{Server, free_ports},
    desk::{Desk, Person},
    kit::on_each_database,
    live::tab::DEADLINE,
    postgres,
    process::{run, tidings},
};

/// Where a database may be, and room for files.
struct Place {
    url: String,
    folder: TempDir,
}

on_each_database!(Place:
    a_backup_made_while_people_work_is_whole,
    a_backup_that_cannot_be_restored_changes_nothing,
    a_restore_waits_for_nobody,
    commands_make_a_backup_and_restore_it,
);

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("db/tidings.db").display());
        Self { url, folder }
    }

    async fn on_postgres() -> Self {
        let url = postgres::cluster().await.empty_database().await;
        let folder = tempfile::tempdir().unwrap();
        Self { url, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn desk(&self) -> Desk {
        Desk::at(&self.url).await
    }

    /// Past the store.
    async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.url.starts_with("postgres") {
            let mut connection = PgConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(sql).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    /// What is there before is kept once.
    async fn forget_what_was_before(&self) {
        if self.url.starts_with("postgres") {
            self.execute("DROP SCHEMA before_restore CASCADE").await;
        } else {
            fs::remove_file(self.file("db/tidings.db.before-restore")).unwrap();
        }
    }

    async fn restore(&self, file: &Path) -> Result<String, String> {
        let mut out = Vec::new();
        let done = commands::restore(&self.url, file, &RandomIds, &mut out).await;
        done.map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }
}

async fn faults(store: &SharedStore) -> Vec<String> {
    store.check().await.unwrap().faults
}

/// What waits to be published.
async fn pending(store: &SharedStore) -> i64 {
    let depth = store.depth().await.unwrap();
    depth.iter().map(|depth| depth.pending).sum()
}

async fn close(desk: Desk) {
    desk.stop.cancel();
    desk.store.close().await;
}

async fn add_until(desk: Arc<Desk>, person: Person, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        desk.add(&person, "Something to do").await;
    }
}

async fn a_backup_made_while_people_work_is_whole(place: Place) {
    let desk = Arc::new(place.desk().await);
    let ann = desk.person("ann").await;
    let stop = Arc::new(AtomicBool::new(false));
    let adding = [0; 4].map(|_| tokio::spawn(add_until(desk.clone(), ann.clone(), stop.clone())));
    let reaches = async |seq| {
        let reached = async {
            while desk.store.head(ann.id).await.unwrap() < seq {
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, reached).await.unwrap();
    };
    reaches(50).await;
    let file = place.file("backup");
    let mut out = Vec::new();
    commands::backup(&place.url, &file, &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains("backup"));
    reaches(desk.store.head(ann.id).await.unwrap() + 20).await;
    stop.store(true, Ordering::SeqCst);
    for adding in adding {
        adding.await.unwrap();
    }
    let head = desk.store.head(ann.id).await.unwrap();
    let before = desk.resume(40);
    let again = backup(&place.url, &file).await;
    assert!(again.unwrap_err().to_string().contains("there already"));
    assert_eq!(
        fs::read_dir(place.folder.path()).unwrap().count() - 1,
        usize::from(!place.url.starts_with("postgres")),
        "nothing else is left"
    );

    let used = place.restore(&file).await.unwrap_err();
    assert!(used.contains("in use"), "{used}");
    assert_eq!(desk.store.head(ann.id).await.unwrap(), head);
    let epoch = desk.store.epoch();
    close(Arc::into_inner(desk).unwrap()).await;

    let said = place.restore(&file).await.unwrap();
    assert!(said.contains("before") && said.contains("kept"), "{said}");
    let desk = place.desk().await;
    assert_ne!(desk.store.epoch(), epoch);
    assert_eq!(faults(&desk.store).await, Vec::<String>::new());
    let kept = desk.store.head(ann.id).await.unwrap();
    assert!((50..head - 19).contains(&kept), "{kept} of {head}");
    // The person's own two events, and two topics an event: they go (again) to whoever takes them.
    assert_eq!(pending(&desk.store).await, 2 + 2 * kept);
    let rows = desk.store.claim(
        Uuid::nil(),
        Ambient::default().clock.now(),
        Ambient::default().clock.now().plus_ms(1),
        10,
    );
    assert_eq!(rows.await.unwrap().len(), 10);

    // Sessions of the backup may have ended since: everybody signs in anew.
    assert!(
        crate::live::tab::Tab::open(&desk.base, &[("Cookie", &ann.cookie)])
            .await
            .is_err()
    );
    let ann = desk.sign_in(ann.id).await;
    let mut tab = desk.open(&ann).await;
    tab.hello(before).await;
    let (reason, cursor, tasks, _) = tab.snapshot().await;
    assert_eq!((reason.as_str(), cursor), ("epoch", kept));
    assert_eq!(tasks.len() as i64, kept);
    assert_eq!(desk.add(&ann, "After").await, kept + 1);
    drop(tab);
    close(desk).await;

    let twice = place.restore(&file).await.unwrap_err();
    assert!(twice.contains("there already"), "{twice}");
    place.forget_what_was_before().await;
    place.restore(&file).await.unwrap();
    let desk = place.desk().await;
    assert_eq!(desk.store.head(ann.id).await.unwrap(), kept);
    close(desk).await;
}

async fn a_backup_that_cannot_be_restored_changes_nothing(place: Place) {
    let desk = place.desk().await;
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let epoch = desk.store.epoch();
    let whole = place.file("whole");
    backup(&place.url, &whole).await.unwrap();
    let newer = place.file("newer");
    let migrated = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                    execution_time) VALUES (9999, 'later', true, '', 0)";
    place.execute(migrated).await;
    backup(&place.url, &newer).await.unwrap();
    place
        .execute("DELETE FROM _sqlx_migrations WHERE version = 9999")
        .await;
    desk.add(&ann, "Two").await;
    close(desk).await;

    let bytes = fs::read(&whole).unwrap();
    let (half, other) = (place.file("half"), place.file("other"));
    fs::write(&half, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(&other, "Dear diary").unwrap();
    let empty = place.file("empty");
    fs::write(&empty, "").unwrap();
    for (file, words) in [
        (place.file("nowhere"), "nowhere"),
        (half, ""),
        (other, "no whole backup"),
        (empty, "no whole backup"),
        (newer, "newer"),
    ] {
        let refused = place.restore(&file).await.unwrap_err();
        assert!(refused.contains(words), "{}: {refused}", file.display());
        let desk = place.desk().await;
        assert_eq!(desk.store.epoch(), epoch, "{}", file.display());
        assert_eq!(desk.store.head(ann.id).await.unwrap(), 2);
        assert_eq!(faults(&desk.store).await, Vec::<String>::new());
        close(desk).await;
    }
    place.restore(&whole).await.unwrap();
}

async fn a_restore_waits_for_nobody(place: Place) {
    let [port, sidecar] = free_ports();
    let server = Server::start(place.folder.path(), &place.url, port, sidecar).await;
    let file = place.file("backup");
    backup(&place.url, &file).await.unwrap();
    let used = place.restore(&file).await.unwrap_err();
    assert!(used.contains("in use"), "{used}");
    let server = server.killed_and_started_again().await;
    drop(server);
    // A server of PostgreSQL may take a moment to see that its client is gone.
    let restored = async {
        while let Err(error) = place.restore(&file).await {
            assert!(error.contains("in use"), "{error}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, restored).await.unwrap();
    let _server = Server::start(place.folder.path(), &place.url, port, sidecar).await;
}

async fn commands_make_a_backup_and_restore_it(place: Place) {
    let variables = [("DATABASE_URL", place.url.as_str())];
    let (made, _) = run(&["migrate"], &variables).await;
    assert!(made.status.success());
    for command in ["backup", "restore", "restore"] {
        let arguments = [command, "file"];
        let output = tidings(place.folder.path(), &arguments, &variables).output();
        let output = timeout(DEADLINE, output).await.unwrap().unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {words}");
        if command == "restore" {
            place.forget_what_was_before().await;
        }
    }
    // Into nothing: there is nothing to keep.
    let fresh = match place.url.starts_with("postgres") {
        true => Place::on_postgres().await,
        false => Place::new().await,
    };
    let said = fresh.restore(&place.file("file")).await.unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    close(fresh.desk().await).await;
}

#[tokio::test]
async fn says_which_program_is_missing() {
    let url = postgres::cluster().await.empty_database().await;
    let variables = [("DATABASE_URL", url.as_str()), ("PATH", "/nowhere")];
    let (output, folder) = run(&["backup", "file"], &variables).await;
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("pg_dump is missing"), "{words}");
    assert!(!folder.path().join("file").exists());
}

#[tokio::test]
async fn a_restore_of_postgres_that_fails_takes_the_old_tables_back() {
    let place = Place::on_postgres().await;
    let desk = place.desk().await;
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    // A routine goes aside as tables do; a type stays, and is in the way of the one that comes.
    place
        .execute(
            "CREATE FUNCTION one() RETURNS INT LANGUAGE sql RETURN 1; CREATE DOMAIN two AS INT",
        )
        .await;
    let file = place.file("backup");
    backup(&place.url, &file).await.unwrap();
    desk.add(&ann, "Two").await;
    let epoch = desk.store.epoch();
    close(desk).await;
    let failed = place.restore(&file).await.unwrap_err();
    assert!(
        failed.contains("pg_restore") && failed.contains("two"),
        "{failed}"
    );
    let desk = place.desk().await;
    assert_eq!(desk.store.epoch(), epoch);
    assert_eq!(desk.store.head(ann.id).await.unwrap(), 2);
    assert_eq!(faults(&desk.store).await, Vec::<String>::new());
    close(desk).await;
    place.execute("SELECT one(); DROP DOMAIN two").await;
    place.restore(&file).await.unwrap();
    let desk = place.desk().await;
    assert_eq!(desk.store.head(ann.id).await.unwrap(), 1);
    close(desk).await;
    place.execute("SELECT one(), before_restore.one()").await;
}

#[tokio::test]
async fn rows_of_a_file_keep_their_numbers() {
    let place = Place::new().await;
    let desk = place.desk().await;
    let ann = desk.person("ann").await;
    for n in 0..20 {
        desk.add(&ann, &format!("Task {n}")).await;
    }
    let (_, tasks) = desk.store.snapshot(ann.id).await.unwrap();
    for task in tasks.iter().step_by(3) {
        for command in [Command::Delete, Command::Purge] {
            desk.change(&ann, task.id, command).await;
        }
    }
    let file = place.file("backup");
    backup(&place.url, &file).await.unwrap();
    let numbers = async |url: &str| {
        let sql = "SELECT group_concat(rowid || id) FROM (SELECT rowid, id FROM tasks ORDER BY id)";
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        let numbers = sqlx::query_scalar::<_, String>(sql).fetch_one(&mut connection);
        numbers.await.unwrap()
    };
    let copied = numbers(&file.display().to_string()).await;
    assert_eq!(numbers(&place.url).await, copied);
    close(desk).await;
}

#[tokio::test]
async fn a_broken_file_is_replaced_and_kept() {
    let place = Place::new().await;
    let desk = place.desk().await;
    let ann = desk.person("ann").await;
    desk.add(&ann, "One").await;
    let file = place.file("backup");
    backup(&place.url, &file).await.unwrap();
    close(desk).await;
    let database = place.file("db/tidings.db");
    fs::write(&database, "Dear diary").unwrap();
    fs::write(place.file("db/tidings.db-wal"), "of a broken one").unwrap();
    place.restore(&file).await.unwrap();
    let desk = place.desk().await;
    assert_eq!(desk.store.head(ann.id).await.unwrap(), 1);
    assert_eq!(faults(&desk.store).await, Vec::<String>::new());
    close(desk).await;
    let kept = fs::read(place.file("db/tidings.db.before-restore")).unwrap();
    assert_eq!(kept, b"Dear diary");
    assert!(place.file("db/tidings.db.before-restore-wal").exists());
}

#[tokio::test]
async fn a_start_waits_for_a_restore() {
    let place = Place::new().await;
    close(place.desk().await).await;
    let lock = fs::File::options()
        .append(true)
        .open(place.file("db/tidings.db-lock"))
        .unwrap();
    lock.lock().unwrap();
    let open = async || {
        let nobody = Arc::new(commands::Nobody);
        SqliteStore::open(&place.url, Ambient::default(), nobody).await
    };
    let early = timeout(Duration::from_millis(50), open()).await;
    assert!(early.is_err());
    lock.unlock().unwrap();
    open().await.unwrap().close().await;
}
