-- The inbox forgets, the trail does not: an event that comes again after that is looked for here.
CREATE INDEX audit_event ON audit (event_id);
