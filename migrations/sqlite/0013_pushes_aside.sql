-- What push services refused goes after a while.
CREATE INDEX pushes_aside ON pushes (created_at) WHERE aside = 1;
