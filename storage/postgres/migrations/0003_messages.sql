-- Edits, deletions, bodies, mentions, ordinals, read pointers, retention.

-- What a message says now. The row of an edit or a deletion has target_seq and says nothing itself.
ALTER TABLE events
  ADD COLUMN body        text   NOT NULL DEFAULT '',  -- JSON.
  ADD COLUMN mentions    text   NOT NULL DEFAULT '',  -- storage/text_list.h
  ADD COLUMN target_seq  bigint NOT NULL DEFAULT 0,
  ADD COLUMN edited_seq  bigint NOT NULL DEFAULT 0,   -- The newest edit; 0: none.
  -- The deletion; of what was erased its own seq; 0: not deleted.
  ADD COLUMN deleted_seq bigint NOT NULL DEFAULT 0,
  -- Messages of the room up to and including this event.
  ADD COLUMN ordinal     bigint NOT NULL DEFAULT 0;

ALTER TABLE rooms
  ADD COLUMN ordinal         bigint NOT NULL DEFAULT 0,  -- Of the newest event.
  ADD COLUMN gone_ordinal    bigint NOT NULL DEFAULT 0,  -- Of the newest event removed.
  ADD COLUMN retain_micros   bigint NOT NULL DEFAULT 0,  -- 0: for ever.
  ADD COLUMN retain_messages bigint NOT NULL DEFAULT 0;  -- 0: all.

CREATE INDEX rooms_retained ON rooms (id) WHERE retain_micros > 0 OR retain_messages > 0;

UPDATE events e SET ordinal = n.ordinal FROM (
  SELECT room_id, seq, count(*) FILTER (WHERE kind = 1) OVER (PARTITION BY room_id ORDER BY seq)
         AS ordinal
  FROM events) n
WHERE n.room_id = e.room_id AND n.seq = e.seq;

UPDATE rooms r SET ordinal = coalesce(
  (SELECT e.ordinal FROM events e WHERE e.room_id = r.id ORDER BY e.seq DESC LIMIT 1), 0);

-- Message ids are UUIDv7: the index grows at its end.
CREATE INDEX events_message ON events (message_id) WHERE kind = 1;
CREATE INDEX events_deleted ON events (room_id, seq) WHERE deleted_seq > 0;

-- How far a user has read a room; the ordinal is that of the event.
CREATE TABLE read_pointers (
  room_id    text COLLATE "C" NOT NULL,
  user_id    text COLLATE "C" NOT NULL,
  seq        bigint NOT NULL,
  ordinal    bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 70);

-- Whoever is a member has read what stood there when that began, and what he has written himself.
INSERT INTO read_pointers (room_id, user_id, seq, ordinal, updated_at)
SELECT p.room_id, p.user_id, p.seq, coalesce(e.ordinal, 0),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM (SELECT m.room_id, m.user_id, greatest(m.changed_seq, own.seq) AS seq
      FROM members m
        JOIN rooms r ON r.id = m.room_id AND r.state = 0
        LEFT JOIN (SELECT room_id, actor_id, max(seq) AS seq FROM events WHERE kind = 1
                   GROUP BY room_id, actor_id) own
          ON own.room_id = m.room_id AND own.actor_id = m.user_id
      WHERE m.role > 0) p
  LEFT JOIN events e ON e.room_id = p.room_id AND e.seq = p.seq;

-- With members_by_user: every room a user ever was a member of, for erasing.
CREATE INDEX former_members_by_user ON members (user_id, room_id) WHERE role = 0;
