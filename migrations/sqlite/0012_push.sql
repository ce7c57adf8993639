-- Browsers that want to be told with every tab closed, each where its push service is reached. They go
-- with the session that they were made in.
CREATE TABLE push_subscriptions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    session BLOB NOT NULL REFERENCES sessions (token_hash) ON DELETE CASCADE,
    endpoint TEXT NOT NULL UNIQUE,
    p256dh BLOB NOT NULL,
    auth BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at DESC, id DESC);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session);

-- Notifications on their way to them. `due_at`, `attempts`, `aside` and `error` are as in `mails`.
CREATE TABLE pushes (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    subscription TEXT NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    notification TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    aside INTEGER NOT NULL DEFAULT 0,
    error TEXT
) STRICT;

CREATE INDEX pushes_due ON pushes (due_at) WHERE aside = 0;
CREATE INDEX pushes_subscription ON pushes (subscription, n);
