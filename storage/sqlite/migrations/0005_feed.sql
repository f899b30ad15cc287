-- The feed goes by rowid, which grows with each event. SQLite gives the greatest one again once its
-- row is gone: a row of no room keeps its place then.
CREATE TRIGGER events_keep_place AFTER DELETE ON events
WHEN old.rowid > (SELECT coalesce(max(rowid), 0) FROM events)
BEGIN
  INSERT INTO events (rowid, room_id, seq, kind, created_at, actor_id, actor_name, actor_email,
                      dedup_key, message_id, type, content, reply_to, subject, role)
  VALUES (old.rowid, '', old.rowid, 0, old.created_at, '', '', '', old.rowid, '', '', '', '', '', 0);
END;

CREATE TABLE feed_cursors (
  consumer     TEXT    NOT NULL PRIMARY KEY,
  number       INTEGER NOT NULL,  -- The position: rowid, and what stands there.
  room_id      TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  committed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
