-- Sigma is the same at the end of a word.
UPDATE tasks SET search = replace(search, 'ς', 'σ'), title_key = replace(title_key, 'ς', 'σ')
    WHERE instr(search, 'ς') > 0;

-- The words of tasks, for search. A token is the end of the owner's id and a word of `tasks.search`:
-- what is asked for by one person is a range of the index that holds hardly anything of others. The
-- text is folded and parted already, so that this tokenizer, which parts it at spaces, adds no rules
-- of its own. It keeps words alone, since the text is in `tasks`. (Less detail would do, but together
-- with secure-delete SQLite 3.51 then removes words that it should keep, and keeps some it should not.)
CREATE VIRTUAL TABLE task_words USING fts5(
    words, content = '', columnsize = 0, detail = column, tokenize = 'ascii'
);

-- What the index holds, a row a word of a task: how it is held against the tasks.
CREATE VIRTUAL TABLE task_words_held USING fts5vocab(task_words, instance);

-- What was deleted for good does not linger in the index.
INSERT INTO task_words (task_words, rank) VALUES ('secure-delete', 1);

INSERT INTO task_words (rowid, words)
    SELECT rowid, replace(search, ' ', ' ' || substr(user_id, -8)) FROM tasks;

-- Whoever writes a task writes its words, in the same transaction. A change that leaves them alone
-- costs nothing.
CREATE TRIGGER tasks_words_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO task_words (rowid, words)
        VALUES (new.rowid, replace(new.search, ' ', ' ' || substr(new.user_id, -8)));
END;

CREATE TRIGGER tasks_words_update AFTER UPDATE OF search ON tasks WHEN new.search <> old.search BEGIN
    INSERT INTO task_words (task_words, rowid, words)
        VALUES ('delete', old.rowid, replace(old.search, ' ', ' ' || substr(old.user_id, -8)));
    INSERT INTO task_words (rowid, words)
        VALUES (new.rowid, replace(new.search, ' ', ' ' || substr(new.user_id, -8)));
END;

CREATE TRIGGER tasks_words_delete AFTER DELETE ON tasks BEGIN
    INSERT INTO task_words (task_words, rowid, words)
        VALUES ('delete', old.rowid, replace(old.search, ' ', ' ' || substr(old.user_id, -8)));
END;
