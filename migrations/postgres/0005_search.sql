-- Sigma is the same at the end of a word.
UPDATE tasks SET search = replace(search, 'ς', 'σ'), title_key = replace(title_key, 'ς', 'σ')
    WHERE strpos(search, 'ς') > 0;

-- The words of a task for the index of search: each is led by the end of the owner's id, so that what
-- is asked for by one person is a range of the index that holds hardly anything of others. The text
-- is folded and parted already; no parser or dictionary adds rules of its own.
CREATE FUNCTION task_words(owner UUID, search TEXT) RETURNS TSVECTOR
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_to_tsvector(
        string_to_array(substr(replace(search, ' ', ' ' || right(owner::text, 8)), 2), ' '));

-- A lexeme is short; what comes after the 200th character of a word is not looked at.
UPDATE tasks SET search = regexp_replace(search, '( [^ ]{200})[^ ]+', '\1', 'g')
    WHERE search ~ ' [^ ]{201}';

-- Written by whatever writes a task, in the same transaction. Few changes wait to be sorted in, since
-- each search walks those.
CREATE INDEX tasks_words ON tasks USING gin (task_words(user_id, search))
    WITH (gin_pending_list_limit = 256);
