-- Browsers that want to be told with every tab closed, each where its push service is reached. They go
-- with the session that they were made in.
CREATE TABLE push_subscriptions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    session BYTEA NOT NULL REFERENCES sessions (token_hash) ON DELETE CASCADE,
    endpoint TEXT COLLATE "C" NOT NULL UNIQUE,
    p256dh BYTEA NOT NULL,
    auth BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX push_subscriptions_user ON push_subscriptions (user_id, created_at DESC, id DESC);
CREATE INDEX push_subscriptions_session ON push_subscriptions (session);

-- Notifications on their way to them. `due_at`, `attempts`, `aside` and `error` are as in `mails`.
CREATE TABLE pushes (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id UUID NOT NULL,
    subscription UUID NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
    notification UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    aside BOOLEAN NOT NULL DEFAULT false,
    error TEXT
);

CREATE INDEX pushes_due ON pushes (due_at) WHERE NOT aside;
CREATE INDEX pushes_subscription ON pushes (subscription, n);
