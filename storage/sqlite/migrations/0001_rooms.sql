-- Times are microseconds since 1970, UTC. Numbers of roles and kinds: storage/records.h.

CREATE TABLE rooms (
  id         TEXT    NOT NULL PRIMARY KEY,
  topic      TEXT    NOT NULL,
  is_public  INTEGER NOT NULL,
  first_seq  INTEGER NOT NULL,  -- The log holds first_seq to last_seq.
  last_seq   INTEGER NOT NULL,
  member_seq INTEGER NOT NULL,  -- Seq of the newest membership event.
  created_at INTEGER NOT NULL,
  last_at    INTEGER NOT NULL,  -- created_at of the newest event.
  state      INTEGER NOT NULL   -- 0 there; 1 deleted, rows to be purged; 2 deleted and purged.
) STRICT, WITHOUT ROWID;

CREATE INDEX rooms_to_purge ON rooms (id) WHERE state = 1;

-- A removed member's row stays, with role 0, so that changed_seq tells where it ended.
CREATE TABLE members (
  room_id     TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,
  role        INTEGER NOT NULL,
  changed_seq INTEGER NOT NULL,
  changed_at  INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_by_user ON members (user_id, room_id) WHERE role > 0;

-- With a rowid: events are added at the end of one tree, and the two indexes stay small. Without,
-- each event cost half as much again.
CREATE TABLE events (
  room_id     TEXT    NOT NULL,
  seq         INTEGER NOT NULL,
  kind        INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  actor_id    TEXT    NOT NULL,  -- Empty: the system.
  actor_name  TEXT    NOT NULL,
  actor_email TEXT    NOT NULL,
  dedup_key   TEXT    NOT NULL,  -- The key space's letter, then the key.
  message_id  TEXT    NOT NULL,
  type        TEXT    NOT NULL,
  content     TEXT    NOT NULL,
  reply_to    TEXT    NOT NULL,
  subject     TEXT    NOT NULL,  -- The member that a membership event is about.
  role        INTEGER NOT NULL,
  PRIMARY KEY (room_id, seq)
) STRICT;

CREATE UNIQUE INDEX events_dedup ON events (room_id, actor_id, dedup_key);
