-- Rooms can be archived, read-only and slow; people banned and muted; acts are recorded.

ALTER TABLE rooms ADD COLUMN is_archived  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN is_read_only INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN slow_mode_s  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN metadata     TEXT    NOT NULL DEFAULT '';  -- storage/text_map.h

-- Microseconds since 1970: 0 or less not at all, the greatest number until it is lifted.
ALTER TABLE members ADD COLUMN banned_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN muted_until  INTEGER NOT NULL DEFAULT 0;

CREATE INDEX members_banned ON members (room_id, user_id) WHERE banned_until > 0;

-- Who did what, or tried to: never a content, never a token.
CREATE TABLE audit (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  at         INTEGER NOT NULL,
  actor_id   TEXT    NOT NULL,  -- Empty: a service asked by itself.
  service    TEXT    NOT NULL,  -- Whose token was shown; empty: a user asked.
  act        TEXT    NOT NULL,
  room_id    TEXT    NOT NULL,
  subject    TEXT    NOT NULL,  -- The user concerned.
  result     TEXT    NOT NULL,  -- "OK", or a reason word.
  request_id TEXT    NOT NULL,
  seq        INTEGER NOT NULL   -- The event of the room's log; 0: none.
) STRICT;

CREATE INDEX audit_by_room ON audit (room_id, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
CREATE INDEX audit_by_subject ON audit (subject, id);
