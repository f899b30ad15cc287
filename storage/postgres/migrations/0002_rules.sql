-- Rooms can be archived, read-only and slow; people banned and muted; acts are recorded.

ALTER TABLE rooms
  ADD COLUMN is_archived  boolean NOT NULL DEFAULT false,
  ADD COLUMN is_read_only boolean NOT NULL DEFAULT false,
  ADD COLUMN slow_mode_s  integer NOT NULL DEFAULT 0,
  ADD COLUMN metadata     text    NOT NULL DEFAULT '';  -- storage/text_map.h

-- Microseconds since 1970: 0 or less not at all, the greatest number until it is lifted.
ALTER TABLE members
  ADD COLUMN banned_until bigint NOT NULL DEFAULT 0,
  ADD COLUMN muted_until  bigint NOT NULL DEFAULT 0;

CREATE INDEX members_banned ON members (room_id, user_id) WHERE banned_until > 0;

-- Who did what, or tried to: never a content, never a token.
CREATE TABLE audit (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         bigint NOT NULL,
  actor_id   text COLLATE "C" NOT NULL,  -- Empty: a service asked by itself.
  service    text   NOT NULL,            -- Whose token was shown; empty: a user asked.
  act        text   NOT NULL,
  room_id    text COLLATE "C" NOT NULL,
  subject    text COLLATE "C" NOT NULL,  -- The user concerned.
  result     text   NOT NULL,            -- "OK", or a reason word.
  request_id text   NOT NULL,
  seq        bigint NOT NULL             -- The event of the room's log; 0: none.
);

CREATE INDEX audit_by_room ON audit (room_id, id);
CREATE INDEX audit_by_actor ON audit (actor_id, id);
CREATE INDEX audit_by_subject ON audit (subject, id);
