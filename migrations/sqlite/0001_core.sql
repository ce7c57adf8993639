-- Ids are lower-case UUID text, instants are milliseconds since 1970. Most ids are version 7 and so
-- rise with time: where an index can begin with one, new rows of all people go to one page at its
-- end, and a transaction of many people writes few pages.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- One row a person: the feed's head, the time of its last event, tasks outside the trash.
CREATE TABLE feeds (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL DEFAULT 0,
    at INTEGER NOT NULL DEFAULT 0,
    tasks INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX tokens_user ON tokens (user_id);

-- `task` is the whole task as JSON; the other columns are what queries look at.
CREATE TABLE tasks (
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    position TEXT NOT NULL,
    title_key TEXT NOT NULL,
    -- Folded words of title, description and tags, a space before each.
    search TEXT NOT NULL,
    -- 0 none to 4 urgent.
    priority INTEGER NOT NULL,
    -- A JSON list, or null where there are none.
    tags TEXT,
    due_date TEXT,
    -- As an instant; an all-day task at local midnight.
    due_at INTEGER,
    -- The zone of a timed task; null for an all-day one, which keeps its date in every zone.
    due_zone TEXT,
    completed_at INTEGER,
    deleted_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    task TEXT NOT NULL,
    UNIQUE (id, user_id)
) STRICT;

CREATE INDEX tasks_open ON tasks (user_id, position, id)
    WHERE completed_at IS NULL AND deleted_at IS NULL;
-- The same for completed ones: what is kept, by position, is merged from both.
CREATE INDEX tasks_done ON tasks (user_id, position, id)
    WHERE completed_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_completed ON tasks (user_id, completed_at DESC, id)
    WHERE completed_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_trash ON tasks (user_id, deleted_at DESC, id)
    WHERE deleted_at IS NOT NULL;

-- The log. `n` only ties other tables to a row: it is never a cursor. `seq` is null for events that
-- stand in no feed. `version` is the task's after the event; 0 once it was deleted for good.
CREATE TABLE events (
    n INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    user_id TEXT,
    seq INTEGER,
    task_id TEXT,
    version INTEGER,
    at INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_feed ON events (user_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX events_loose ON events (user_id) WHERE seq IS NULL;
CREATE INDEX events_task ON events (task_id, user_id, version) WHERE task_id IS NOT NULL;

-- Answers to mutations, so that a retry does nothing twice. The task of an answer is in the log, at
-- this version; none where it was deleted for good.
CREATE TABLE mutations (
    n INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    mutation_id TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    seq INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    version INTEGER,
    at INTEGER NOT NULL,
    quiet INTEGER NOT NULL,
    UNIQUE (mutation_id, user_id)
) STRICT;

CREATE INDEX mutations_quiet ON mutations (user_id) WHERE quiet = 1;

-- One row an event and topic. `partition` is the person, or empty where nobody is known.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    partition TEXT NOT NULL,
    event INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER,
    dead INTEGER NOT NULL DEFAULT 0,
    error TEXT
) STRICT;

CREATE INDEX outbox_retry ON outbox (topic, partition) WHERE retry_at IS NOT NULL;

-- Who publishes what. A lease lasts as long as its holder says, so that to extend all of them is
-- one write.
CREATE TABLE holders (
    id TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    topic TEXT NOT NULL,
    partition TEXT NOT NULL,
    holder TEXT NOT NULL,
    PRIMARY KEY (topic, partition)
) STRICT, WITHOUT ROWID;

-- What a consumer has taken in, written in the transaction of its effect.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT,
    seq INTEGER,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_user ON audit (user_id, n);
