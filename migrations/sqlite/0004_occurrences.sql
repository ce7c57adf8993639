-- Where tasks stand in their series. `recurrence` is the rule, as JSON, for which the rest holds: the
-- first date, from which interval and count run, and which task it is. `remind` is what a local clock
-- is to show at the reminder, as if it were UTC. `version` is the task's since the series last made
-- it, took it away or brought it back.
CREATE TABLE occurrences (
    user_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    recurrence TEXT NOT NULL,
    first TEXT,
    nth INTEGER NOT NULL,
    remind INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (user_id, task_id)
) STRICT, WITHOUT ROWID;
