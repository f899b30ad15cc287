-- The transaction that stored the event; 0 of all that were there before, which rewrites no row. A
-- position is (tx, room, seq), read only below the oldest transaction that still runs: a serial
-- number would become visible out of order.
ALTER TABLE events ADD COLUMN tx bigint NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN tx SET DEFAULT pg_current_xact_id()::text::bigint;

-- It grows at its end, and each batch of commits is one entry.
CREATE INDEX events_feed ON events (tx);
-- What is no small batch has an order of its own, else each page would sort the whole of it.
CREATE INDEX events_before_feed ON events (room_id, seq) WHERE tx = 0;

CREATE TABLE feed_cursors (
  consumer     text COLLATE "C" NOT NULL PRIMARY KEY,
  number       bigint NOT NULL,  -- The position: tx, room, seq.
  room_id      text COLLATE "C" NOT NULL,
  seq          bigint NOT NULL,
  committed_at bigint NOT NULL
);
