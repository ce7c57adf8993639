-- `at` is when it was taken in: it is kept for 30 days from then, longer than a broker may deliver it
-- again. What was taken in before now is kept from now on.
CREATE TABLE inbox_kept (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER)),
    PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;

INSERT INTO inbox_kept (consumer, event_id) SELECT consumer, event_id FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_kept RENAME TO inbox;

CREATE INDEX inbox_at ON inbox (at);

-- What ends by itself, of all people.
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE INDEX tasks_expired ON tasks (deleted_at) WHERE deleted_at IS NOT NULL;

-- What was set aside, among all that waits.
CREATE INDEX outbox_dead ON outbox (event) WHERE dead = 1;
