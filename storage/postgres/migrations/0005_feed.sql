-- The transaction that stored the event; all that were there before have this one's. A position is
-- (tx, room, seq), read only below the oldest transaction that still runs: a serial number would
-- become visible out of order.
ALTER TABLE events ADD COLUMN tx bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint;

-- It grows at its end, and each batch of commits is one entry.
CREATE INDEX events_feed ON events (tx);

CREATE TABLE feed_cursors (
  consumer     text COLLATE "C" NOT NULL PRIMARY KEY,
  number       bigint NOT NULL,  -- The position: tx, room, seq.
  room_id      text COLLATE "C" NOT NULL,
  seq          bigint NOT NULL,
  committed_at bigint NOT NULL
);
