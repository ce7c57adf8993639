-- `remind_at` is the task's own; `reminded` says whether that was told of.
ALTER TABLE tasks ADD COLUMN remind_at BIGINT;
ALTER TABLE tasks ADD COLUMN reminded BOOLEAN NOT NULL DEFAULT false;
UPDATE tasks SET remind_at =
    (extract(epoch FROM (task::json->>'remind_at')::timestamptz) * 1000)::bigint
    WHERE task::json->>'remind_at' IS NOT NULL;
-- What was due before there were reminders is not told of now.
UPDATE tasks SET reminded = true WHERE remind_at < extract(epoch FROM now()) * 1000;

-- Reminders still to come, of all people: of those, the first are looked at again and again.
CREATE INDEX tasks_remind ON tasks (remind_at)
    WHERE remind_at IS NOT NULL AND NOT reminded AND completed_at IS NULL AND deleted_at IS NULL;

-- `task_id` is null where a notification is about no task. What is written under the lock of a feed
-- refers to no person: they are deleted by hand, in the order of the locks.
CREATE TABLE notifications (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    task_id UUID,
    created_at BIGINT NOT NULL,
    read_at BIGINT
);

CREATE INDEX notifications_user ON notifications (user_id, created_at DESC, id DESC);
CREATE INDEX notifications_unread ON notifications (user_id, created_at DESC, id DESC)
    WHERE read_at IS NULL;
CREATE INDEX notifications_task ON notifications (user_id, task_id) WHERE task_id IS NOT NULL;

-- What people chose, as JSON; no row: the defaults.
CREATE TABLE notification_settings (
    user_id UUID PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    settings TEXT NOT NULL
);

-- Days, in the person's zone, on which a task was completed: the last 400 of each person.
CREATE TABLE done_days (
    user_id UUID NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, day)
);

-- Mail that is to be sent at `due_at`, which whoever sends it moves on while it does. `link` is a path
-- of ours, `kind` what is unsubscribed from, null where that cannot be. `aside` says that it was given
-- up, for operators.
CREATE TABLE mails (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C",
    task_id UUID,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    link TEXT NOT NULL,
    link_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    aside BOOLEAN NOT NULL DEFAULT false,
    error TEXT
);

CREATE INDEX mails_due ON mails (due_at) WHERE NOT aside;
CREATE INDEX mails_user ON mails (user_id, task_id);
