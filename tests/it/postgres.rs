//! A real PostgreSQL: one server for all tests of a process, a database each. It lies in a temporary
//! folder and goes with the process, however that ends. Knows nothing of the crate, since unit tests
//! include this file too.
#![allow(dead_code, reason = "not every binary uses all of it")]

use std::{
    fs,
    io::Write,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, migrate::Migrator};

/// Debian's.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
const DEADLINE: Duration = Duration::from_secs(60);

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Makes a cluster and does as it is told, a word a line, until nobody is left to tell it anything: the
/// pipe breaks with the process that holds its other end.
///
/// The order of words is that of a language, so that whatever must be by bytes has to say so.
const KEEPER: &str = r#"
dir=$1 bin=$2
"$bin/initdb" -D "$dir/data" -U tidings -A trust -E UTF8 --locale=C.UTF-8 \
    --locale-provider=icu --icu-locale=en-US --no-sync >"$dir/log" 2>&1 || exit 1
start() {
    "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses= -c max_connections=300 \
        -c max_wal_size=256MB -c log_lock_waits=on >>"$dir/log" 2>&1 &
    server=$!
}
stop() {
    kill "-$1" $server 2>/dev/null
    wait $server
}
start
while read -r word; do
    case $word in
        start) start ;;
        *) stop "$word" && : ;;
    esac
    echo "$word" >>"$dir/done"
done
stop QUIT
rm -rf "$dir"
"#;

/// A server, up or down.
pub(crate) struct Cluster {
    folder: PathBuf,
    keeper: Child,
    orders: Mutex<(ChildStdin, usize)>,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        assert!(
            Path::new(PROGRAMS).join("postgres").exists(),
            "PostgreSQL 15 is missing. Install it and try again: sudo apt-get install postgresql"
        );
        let folder = folder();
        // It refuses to be run by root, and is then run by the user that its package made.
        let root = fs::metadata("/proc/self").unwrap().uid() == 0;
        let mut command = if root {
            let owner = Command::new("chown").arg("postgres").arg(&folder).status();
            assert!(owner.unwrap().success());
            let mut command = Command::new("setpriv");
            let user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
            command.args(user).arg("sh");
            command
        } else {
            Command::new("sh")
        };
        let mut keeper = command
            .args(["-c", KEEPER, "postgres"])
            .arg(&folder)
            .arg(PROGRAMS)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends this process at the terminal must not end the keeper before its work is done.
            .process_group(0)
            .spawn()
            .unwrap();
        let orders = Mutex::new((keeper.stdin.take().unwrap(), 0));
        let cluster = Self {
            folder,
            keeper,
            orders,
            databases: AtomicU32::new(0),
        };
        cluster.ready().await;
        let mut connection = cluster.connect("postgres").await.unwrap();
        connection.execute("CREATE DATABASE model").await.unwrap();
        let mut model = cluster.connect("model").await.unwrap();
        MIGRATIONS.run(&mut model).await.unwrap();
        model.close().await.unwrap();
        cluster
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://tidings@{folder}/{database}")
    }

    async fn connect(&self, database: &str) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.url(database)).await
    }

    async fn ready(&self) {
        let deadline = Instant::now() + DEADLINE;
        while let Err(error) = self.connect("postgres").await {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{error}\n{log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A new database with our schema; its URL.
    pub(crate) async fn database(&self) -> String {
        self.database_of("model").await
    }

    /// A new database without anything; its URL.
    pub(crate) async fn empty_database(&self) -> String {
        self.database_of("template0").await
    }

    async fn database_of(&self, template: &str) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = self.connect("postgres").await.unwrap();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        connection.close().await.unwrap();
        self.url(&name)
    }

    /// Stops the server, as `systemctl stop` does.
    pub(crate) async fn stop(&self) {
        self.order("INT").await;
    }

    /// Kills the server: what is not on the disk is lost.
    pub(crate) async fn kill(&self) {
        self.order("QUIT").await;
    }

    /// Starts the server again.
    pub(crate) async fn start_again(&self) {
        self.order("start").await;
        self.ready().await;
    }

    async fn order(&self, word: &str) {
        let count = {
            let (orders, count) = &mut *self.orders.lock().unwrap();
            writeln!(orders, "{word}").unwrap();
            *count += 1;
            *count
        };
        let deadline = Instant::now() + DEADLINE;
        let done = || fs::read_to_string(self.folder.join("done")).unwrap_or_default();
        while done().lines().count() < count {
            assert!(Instant::now() < deadline, "{word} was not done");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It ends when nobody is left to tell it anything; there is nothing to wait for.
        let _ = self.keeper.try_wait();
    }
}

/// The server that the tests of this process share.
pub(crate) async fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    // In a thread and a runtime of its own: the test that comes first may end before others use it.
    let start = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(Cluster::start())
    };
    let get = move || CLUSTER.get_or_init(start);
    tokio::task::spawn_blocking(get).await.unwrap()
}

/// A new database with our schema on that server; its URL.
pub(crate) async fn database() -> String {
    cluster().await.database().await
}

/// A new folder whose path is short enough for a socket in it.
fn folder() -> PathBuf {
    let name = format!("/tmp/tidings-{:016x}", rand::random::<u64>());
    fs::create_dir(&name).unwrap();
    name.into()
}
