-- What `remind` is for: the date of the task that it goes with, and the reminder that the task had
-- itself when this was written, NULL for none. It is another where the reminder was put off for once.
-- A `remind` without a date is of before, and counts no longer: the task's own does.
ALTER TABLE occurrences ADD COLUMN remind_date TEXT;
ALTER TABLE occurrences ADD COLUMN remind_at INTEGER;
