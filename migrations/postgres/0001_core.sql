-- Instants are milliseconds since 1970. What is sorted, or compared as text, is so by bytes, whatever
-- the database's own order of words.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE users (
    id UUID PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    theme TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- One row a person: the feed's head, the time of its last event, tasks outside the trash. Its lock is
-- the lock of everything that the person's mutations touch. Room is left in each page, since the rows
-- change with every mutation.
CREATE TABLE feeds (
    user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    seq BIGINT NOT NULL DEFAULT 0,
    at BIGINT NOT NULL DEFAULT 0,
    tasks BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE TABLE sessions (
    token_hash BYTEA PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expired ON sessions (expires_at);

CREATE TABLE tokens (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX tokens_user ON tokens (user_id);

-- `task` is the whole task as JSON; the other columns are what queries look at.
CREATE TABLE tasks (
    user_id UUID NOT NULL,
    id UUID NOT NULL,
    position TEXT COLLATE "C" NOT NULL,
    title_key TEXT COLLATE "C" NOT NULL,
    -- Folded words of title, description and tags, a space before each.
    search TEXT COLLATE "C" NOT NULL,
    -- 0 none to 4 urgent.
    priority BIGINT NOT NULL,
    -- Null where there are none.
    tags JSONB,
    due_date TEXT COLLATE "C",
    -- As an instant; an all-day task at local midnight.
    due_at BIGINT,
    -- The zone of a timed task; null for an all-day one, which keeps its date in every zone.
    due_zone TEXT COLLATE "C",
    completed_at BIGINT,
    deleted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    task TEXT NOT NULL,
    PRIMARY KEY (user_id, id)
);

CREATE INDEX tasks_open ON tasks (user_id, position, id)
    WHERE completed_at IS NULL AND deleted_at IS NULL;
-- The same for completed ones: what is kept, by position, is merged from both.
CREATE INDEX tasks_done ON tasks (user_id, position, id)
    WHERE completed_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_completed ON tasks (user_id, completed_at DESC NULLS LAST, id)
    WHERE completed_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_trash ON tasks (user_id, deleted_at DESC NULLS LAST, id)
    WHERE deleted_at IS NOT NULL;

-- The log. `n` only ties other tables to a row: it is never a cursor. `seq` is null for events that
-- stand in no feed. `version` is the task's after the event; 0 once it was deleted for good.
CREATE TABLE events (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    user_id UUID,
    seq BIGINT,
    task_id UUID,
    version BIGINT,
    at BIGINT NOT NULL,
    json TEXT NOT NULL
);

CREATE UNIQUE INDEX events_feed ON events (user_id, seq);
CREATE INDEX events_task ON events (user_id, task_id, version) WHERE task_id IS NOT NULL;

-- Answers to mutations, so that a retry does nothing twice. The task of an answer is in the log, at
-- this version; none where it was deleted for good.
CREATE TABLE mutations (
    user_id UUID NOT NULL,
    mutation_id UUID NOT NULL,
    fingerprint BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    task_id UUID NOT NULL,
    version BIGINT,
    at BIGINT NOT NULL,
    PRIMARY KEY (user_id, mutation_id)
);

CREATE INDEX mutations_at ON mutations (at);

-- One row an event and topic. `partition` is the person, or the nil UUID where nobody is known.
CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT COLLATE "C" NOT NULL,
    partition UUID NOT NULL,
    event BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    retry_at BIGINT,
    dead BOOLEAN NOT NULL DEFAULT false,
    error TEXT
);

CREATE INDEX outbox_retry ON outbox (topic, partition) WHERE retry_at IS NOT NULL;

-- Who publishes what. A lease lasts as long as its holder says, so that to extend all of them is
-- one write.
CREATE TABLE holders (
    id UUID PRIMARY KEY,
    until BIGINT NOT NULL
);

CREATE TABLE leases (
    topic TEXT COLLATE "C" NOT NULL,
    partition UUID NOT NULL,
    holder UUID NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- What a consumer has taken in, written in the transaction of its effect.
CREATE TABLE inbox (
    consumer TEXT COLLATE "C" NOT NULL,
    event_id UUID NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE TABLE audit (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id UUID,
    seq BIGINT,
    event_id UUID NOT NULL,
    event_type TEXT NOT NULL,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);

CREATE INDEX audit_user ON audit (user_id, n);
