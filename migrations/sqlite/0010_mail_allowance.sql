-- How many mails about what happened a person was to get since `since`, so that nobody gets more than so
-- many in 24 hours. One more than that says that the rest was noted in the log.
CREATE TABLE mail_allowances (
    user_id TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    mails INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
