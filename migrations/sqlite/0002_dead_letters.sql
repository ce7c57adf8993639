-- Why a delivery was last not handled, so that its dead letter can tell. Kept for a week.
CREATE TABLE failures (
    topic TEXT NOT NULL,
    event_id TEXT NOT NULL,
    consumer TEXT,
    error TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (topic, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX failures_at ON failures (at);

-- What the broker gave up to deliver, until an operator tries it again or drops it. `payload` is the
-- whole CloudEvent. `event_id` is as it is written there; `user_id` and `task_id` are null where they
-- cannot be read: a letter goes when its person or its task does.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    event_id TEXT NOT NULL,
    user_id TEXT,
    task_id TEXT,
    consumer TEXT,
    error TEXT,
    payload TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (topic, event_id)
) STRICT;

CREATE INDEX dead_letters_user ON dead_letters (user_id, task_id);
