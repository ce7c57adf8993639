-- `at` is when it was taken in: it is kept for 30 days from then, longer than a broker may deliver it
-- again. What was taken in before now is kept from now on.
ALTER TABLE inbox ADD COLUMN at BIGINT NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint;

CREATE INDEX inbox_at ON inbox (at);

-- What ends by itself, of all people. (Sessions have theirs.)
CREATE INDEX tasks_expired ON tasks (deleted_at) WHERE deleted_at IS NOT NULL;

-- What was set aside, among all that waits.
CREATE INDEX outbox_dead ON outbox (event) WHERE dead;
