-- `remind_at` is the task's own; `reminded` is 1 once that was told of.
ALTER TABLE tasks ADD COLUMN remind_at INTEGER;
ALTER TABLE tasks ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET remind_at = CAST(round(unixepoch(task->>'$.remind_at', 'subsec') * 1000) AS INTEGER)
    WHERE task->>'$.remind_at' IS NOT NULL;
-- What was due before there were reminders is not told of now.
UPDATE tasks SET reminded = 1 WHERE remind_at < unixepoch() * 1000;

-- Reminders still to come, of all people: of those, the first are looked at again and again.
CREATE INDEX tasks_remind ON tasks (remind_at)
    WHERE remind_at IS NOT NULL AND reminded = 0 AND completed_at IS NULL AND deleted_at IS NULL;

-- `task_id` is null where a notification is about no task. What is written under the lock of a feed
-- refers to no person: they are deleted by hand, in the order of the locks.
CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    task_id TEXT,
    created_at INTEGER NOT NULL,
    read_at INTEGER
) STRICT;

CREATE INDEX notifications_user ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX notifications_unread ON notifications (user_id, created_at DESC, id DESC)
    WHERE read_at IS NULL;
CREATE INDEX notifications_task ON notifications (user_id, task_id) WHERE task_id IS NOT NULL;

-- What people chose, as JSON; no row: the defaults.
CREATE TABLE notification_settings (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Days, in the person's zone, on which a task was completed: the last 400 of each person.
CREATE TABLE done_days (
    user_id TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (user_id, day)
) STRICT, WITHOUT ROWID;

-- Mail that is to be sent at `due_at`, which whoever sends it moves on while it does. `link` is a path
-- of ours, `kind` what is unsubscribed from, null where that cannot be. `aside` is 1 once it was given
-- up, for operators.
CREATE TABLE mails (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    kind TEXT,
    task_id TEXT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    link TEXT NOT NULL,
    link_text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    aside INTEGER NOT NULL DEFAULT 0,
    error TEXT
) STRICT;

CREATE INDEX mails_due ON mails (due_at) WHERE aside = 0;
CREATE INDEX mails_user ON mails (user_id, task_id);
