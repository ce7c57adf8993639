-- A person's trail by when it happened, which is not the order in which it was recorded.
CREATE INDEX audit_time ON audit (user_id, at, n);
-- What stands in no feed (sign-ins, tokens) among many times as much that does, for the security log.
CREATE INDEX audit_loose ON audit (user_id, at, n) WHERE seq IS NULL;

-- The event of such a row.
DROP INDEX events_loose;
CREATE INDEX events_loose ON events (user_id, event_id) WHERE seq IS NULL;
