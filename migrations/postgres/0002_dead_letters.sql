-- Why a delivery was last not handled, so that its dead letter can tell. Kept for a week.
CREATE TABLE failures (
    topic TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    consumer TEXT,
    error TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (topic, event_id)
);

CREATE INDEX failures_at ON failures (at);

-- What the broker gave up to deliver, until an operator tries it again or drops it. `payload` is the
-- whole CloudEvent. `event_id` is as it is written there; `user_id` and `task_id` are null where they
-- cannot be read: a letter goes when its person or its task does.
CREATE TABLE dead_letters (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    user_id UUID,
    task_id UUID,
    consumer TEXT,
    error TEXT,
    payload TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE (topic, event_id)
);

CREATE INDEX dead_letters_user ON dead_letters (user_id, task_id);
