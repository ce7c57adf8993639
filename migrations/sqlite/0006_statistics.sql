-- What is counted of each task, as its event of the highest `seq` so far left it: whatever the order in
-- which events come, the rows end the same. A task in the trash is not counted: all but its key and
-- `seq` is null. `priority` is 0 none to 4 urgent, `tags` a JSON list.
CREATE TABLE statistics (
    task_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    created_at INTEGER,
    completed_at INTEGER,
    priority INTEGER,
    tags TEXT,
    PRIMARY KEY (task_id, user_id)
) STRICT, WITHOUT ROWID;

-- What is counted is read from these alone, but for tags.
CREATE INDEX statistics_created ON statistics (user_id, created_at, completed_at);
CREATE INDEX statistics_completed ON statistics (user_id, completed_at, created_at, priority)
    WHERE completed_at IS NOT NULL;
