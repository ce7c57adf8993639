//! A backup by PostgreSQL's own programs, made beside whoever writes, and how one takes the place of
//! what is there.

use std::{ffi::OsString, io, path::Path, process::Stdio};

use percent_encoding::percent_decode_str;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tokio::process::Command;
use url::Url;
use uuid::Uuid;

use super::{LOCK_SPACE, MIGRATIONS, PostgresStore, db, migrate_with, options, schema_of};
use crate::{
    error::{Error, Result},
    store::{
        Schema,
        backup::{BackupError, Restored, not_whole},
    },
};

/// Where what was there before goes.
const KEPT: &str = "before_restore";

/// What is ours of a schema: all but what belongs to an extension, or to a table. $1 is the schema.
const OURS: &str = "\
SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' \
    ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name FROM pg_class c \
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S') \
    AND relnamespace = to_regnamespace($1) AND NOT EXISTS (SELECT FROM pg_depend d \
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND deptype IN ('a', 'i', 'e')) \
UNION ALL SELECT 'ROUTINE', p.oid::regprocedure::text FROM pg_proc p WHERE prokind <> 'a' \
    AND pronamespace = to_regnamespace($1) AND NOT EXISTS (SELECT FROM pg_depend d \
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND deptype = 'e') \
ORDER BY kind DESC, name";

impl PostgresStore {
    /// [`crate::store::backup`], into an empty file.
    pub(in crate::store) async fn backup(url: &str, to: &Path) -> Result<(), BackupError> {
        let mut file = OsString::from("--file=");
        file.push(to);
        let mut dump = command("pg_dump", url)?;
        dump.args(["--format=custom", "--exclude-schema"])
            .args([KEPT]);
        dump.arg(file);
        run("pg_dump", dump).await?;
        Ok(())
    }

    /// [`crate::store::restore`]. What was there before stays in the database, in a schema of its own.
    pub(in crate::store) async fn restore(
        url: &str,
        from: &Path,
        epoch: Uuid,
    ) -> Result<Restored, BackupError> {
        examine(url, from).await?;
        // Of no server, so without the lock that they share.
        let options = options(url)?.options([("lock_timeout", "5s")]);
        let mut connection = options.connect().await.map_err(db)?;
        let alone = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, 0)").bind(LOCK_SPACE);
        if !alone.fetch_one(&mut connection).await.map_err(db)? {
            return Err(BackupError::InUse);
        }
        let home: Option<String> = sqlx::query_scalar("SELECT current_schema()")
            .fetch_one(&mut connection)
            .await
            .map_err(db)?;
        let home = home.ok_or_else(|| Error::internal("there is no schema to restore into"))?;
        let old = ours(&mut connection, &home).await?;
        if !old.is_empty() {
            set_aside(&mut connection, &old).await?;
        }
        if let Err(error) = put_in(&mut connection, url, from, epoch).await {
            put_back(&mut connection, &home).await?;
            return Err(error);
        }
        connection.close().await.map_err(db)?;
        let kept = format!("the schema {KEPT} of the database");
        Ok(Restored {
            kept: (!old.is_empty()).then_some(kept),
        })
    }
}

/// Whether a file is a backup that this program can restore, before anything is touched.
async fn examine(url: &str, file: &Path) -> Result<(), BackupError> {
    let program = "pg_restore";
    let mut restore = command(program, url)?;
    restore.args(["--data-only", "--table=_sqlx_migrations", "--file=-", "--"]);
    restore.arg(file);
    let rows = match run(program, restore).await {
        Err(BackupError::Program { words, .. }) => return Err(not_whole(file, words)),
        done => done?,
    };
    let lines = rows.lines().skip_while(|line| !line.starts_with("COPY "));
    let rows = lines.skip(1).take_while(|line| *line != "\\.");
    let versions = rows.map(|row| row.split('\t').next().unwrap_or_default().parse());
    let versions = versions.collect::<Result<Vec<i64>, _>>();
    let versions = versions.map_err(|error| not_whole(file, error))?;
    match Schema::of(&MIGRATIONS, &versions) {
        _ if versions.is_empty() => Err(not_whole(file, "it holds nothing of ours")),
        Schema::Behind(_) | Schema::Newest => Ok(()),
        Schema::Ahead => Err(BackupError::Newer(file.to_owned())),
    }
}

/// Fills the empty schema.
async fn put_in(
    connection: &mut PgConnection,
    url: &str,
    file: &Path,
    epoch: Uuid,
) -> Result<(), BackupError> {
    let program = "pg_restore";
    let mut restore = command(program, url)?;
    // Without a name the database is the one of the environment.
    restore.args(["--single-transaction", "--exit-on-error", "--dbname=", "--"]);
    restore.arg(file);
    run(program, restore).await?;
    if schema_of(connection).await? == Schema::Ahead {
        return Err(BackupError::Newer(file.to_owned()));
    }
    migrate_with(connection).await?;
    let mut transaction = connection.begin().await.map_err(db)?;
    sqlx::query("UPDATE meta SET value = $1 WHERE key = 'epoch'")
        .bind(epoch.to_string())
        .execute(&mut *transaction)
        .await
        .map_err(db)?;
    // Whoever published when the backup was made does not go on with it, and nobody stays signed in
    // by a session that may have ended since. Statistics are in none.
    let rest = "DELETE FROM leases; DELETE FROM holders; DELETE FROM sessions; ANALYZE";
    transaction.execute(rest).await.map_err(db)?;
    transaction.commit().await.map_err(db)?;
    Ok(())
}

/// The kind and the name of each.
async fn ours(connection: &mut PgConnection, schema: &str) -> Result<Vec<(String, String)>> {
    let names = sqlx::query_as(OURS).bind(schema);
    names.fetch_all(connection).await.map_err(db)
}

/// Carries this out for each object, in a transaction.
async fn each(
    connection: &mut PgConnection,
    statements: impl Iterator<Item = String>,
) -> Result<()> {
    let mut transaction = connection.begin().await.map_err(db)?;
    for statement in statements {
        let done = transaction.execute(AssertSqlSafe(statement)).await;
        done.map_err(db)?;
    }
    transaction.commit().await.map_err(db)
}

/// Moves all that is there out of the way: nothing is copied, and to take it back is as quick.
async fn set_aside(
    connection: &mut PgConnection,
    old: &[(String, String)],
) -> Result<(), BackupError> {
    let is_there = sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL").bind(KEPT);
    if is_there.fetch_one(&mut *connection).await.map_err(db)? {
        return Err(BackupError::There(format!("the schema {KEPT}")));
    }
    let moves = old.iter();
    let moves = moves.map(|(kind, name)| format!("ALTER {kind} {name} SET SCHEMA {KEPT}"));
    let create = std::iter::once(format!("CREATE SCHEMA {KEPT}"));
    Ok(each(connection, create.chain(moves)).await?)
}

/// Removes what came, and takes back what was there before.
async fn put_back(connection: &mut PgConnection, home: &str) -> Result<()> {
    let came = ours(connection, home).await?.into_iter();
    let drops = came.map(|(kind, name)| format!("DROP {kind} IF EXISTS {name} CASCADE"));
    let old = ours(connection, KEPT).await?.into_iter();
    let home: String = sqlx::query_scalar("SELECT quote_ident($1)")
        .bind(home)
        .fetch_one(&mut *connection)
        .await
        .map_err(db)?;
    let moves = old.map(|(kind, name)| format!("ALTER {kind} {name} SET SCHEMA {home}"));
    let end = std::iter::once(format!("DROP SCHEMA IF EXISTS {KEPT}"));
    each(connection, drops.chain(moves).chain(end)).await
}

/// One of PostgreSQL's programs, for the database at `url`. It is told of it by its environment: a
/// command line is for all to see.
fn command(program: &str, url: &str) -> Result<Command> {
    let options = options(url)?;
    let url = Url::parse(url).map_err(Error::internal)?;
    let mut command = Command::new(program);
    let host = options.get_socket().map(|path| path.as_os_str().to_owned());
    command
        .args(["--no-owner", "--no-privileges"])
        .env_remove("PGSERVICE")
        .env_remove("PGHOSTADDR")
        .env("PGHOST", host.unwrap_or_else(|| options.get_host().into()))
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username());
    let database = options.get_database().unwrap_or(options.get_username());
    command.env("PGDATABASE", database);
    if let Some(password) = url.password() {
        let password = percent_decode_str(password).decode_utf8_lossy();
        command.env("PGPASSWORD", &*password);
    }
    for (key, value) in url.query_pairs() {
        let variable = match &*key {
            "password" => "PGPASSWORD",
            "sslmode" | "ssl-mode" => "PGSSLMODE",
            "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
            "sslcert" | "ssl-cert" => "PGSSLCERT",
            "sslkey" | "ssl-key" => "PGSSLKEY",
            _ => continue,
        };
        command.env(variable, &*value);
    }
    Ok(command)
}

/// Runs it to its end; what it wrote.
async fn run(program: &'static str, mut command: Command) -> Result<String, BackupError> {
    let command = command.stdin(Stdio::null()).kill_on_drop(true);
    let failed = |words: String| BackupError::Program { program, words };
    match command.output().await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(BackupError::NoProgram(program))
        }
        Err(error) => Err(failed(error.to_string())),
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Ok(output) => Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}
