-- Edits, deletions, bodies, mentions, ordinals, read pointers, retention.

-- What a message says now. The row of an edit or a deletion has target_seq and says nothing itself.
ALTER TABLE events ADD COLUMN body        TEXT    NOT NULL DEFAULT '';  -- JSON.
ALTER TABLE events ADD COLUMN mentions    TEXT    NOT NULL DEFAULT '';  -- storage/text_list.h
ALTER TABLE events ADD COLUMN target_seq  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN edited_seq  INTEGER NOT NULL DEFAULT 0;   -- The newest edit; 0: none.
-- The deletion; of what was erased its own seq; 0: not deleted.
ALTER TABLE events ADD COLUMN deleted_seq INTEGER NOT NULL DEFAULT 0;
-- Messages of the room up to and including this event.
ALTER TABLE events ADD COLUMN ordinal     INTEGER NOT NULL DEFAULT 0;

CREATE INDEX events_message ON events (message_id) WHERE kind = 1;
CREATE INDEX events_deleted ON events (room_id, seq) WHERE deleted_seq > 0;

ALTER TABLE rooms ADD COLUMN ordinal         INTEGER NOT NULL DEFAULT 0;  -- Of the newest event.
ALTER TABLE rooms ADD COLUMN gone_ordinal    INTEGER NOT NULL DEFAULT 0;  -- Of the newest removed.
ALTER TABLE rooms ADD COLUMN retain_micros   INTEGER NOT NULL DEFAULT 0;  -- 0: for ever.
ALTER TABLE rooms ADD COLUMN retain_messages INTEGER NOT NULL DEFAULT 0;  -- 0: all.

CREATE INDEX rooms_retained ON rooms (id) WHERE retain_micros > 0 OR retain_messages > 0;

UPDATE events SET ordinal = n.ordinal FROM (
  SELECT room_id, seq, sum(kind = 1) OVER (PARTITION BY room_id ORDER BY seq) AS ordinal
  FROM events) n
WHERE n.room_id = events.room_id AND n.seq = events.seq;

UPDATE rooms SET ordinal = coalesce(
  (SELECT e.ordinal FROM events e WHERE e.room_id = rooms.id ORDER BY e.seq DESC LIMIT 1), 0);

-- How far a user has read a room; the ordinal is that of the event.
CREATE TABLE read_pointers (
  room_id    TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,
  seq        INTEGER NOT NULL,
  ordinal    INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (room_id, user_id)
) STRICT, WITHOUT ROWID;

-- Whoever is a member has read what stood there when that began, and what he has written himself.
INSERT INTO read_pointers (room_id, user_id, seq, ordinal, updated_at)
SELECT p.room_id, p.user_id, p.seq, coalesce(e.ordinal, 0), unixepoch() * 1000000
FROM (SELECT m.room_id, m.user_id, max(m.changed_seq, coalesce(own.seq, 0)) AS seq
      FROM members m
        JOIN rooms r ON r.id = m.room_id AND r.state = 0
        LEFT JOIN (SELECT room_id, actor_id, max(seq) AS seq FROM events WHERE kind = 1
                   GROUP BY room_id, actor_id) own
          ON own.room_id = m.room_id AND own.actor_id = m.user_id
      WHERE m.role > 0) p
  LEFT JOIN events e ON e.room_id = p.room_id AND e.seq = p.seq;

-- With members_by_user: every room a user ever was a member of, for erasing.
CREATE INDEX former_members_by_user ON members (user_id, room_id) WHERE role = 0;
