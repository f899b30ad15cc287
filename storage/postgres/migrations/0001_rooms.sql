-- Times are microseconds since 1970, UTC. Numbers of roles and kinds: storage/records.h.
-- Ids sort by bytes (collation C), the same everywhere; it is also the order of locking.

CREATE TABLE rooms (
  id         text   COLLATE "C" NOT NULL PRIMARY KEY,
  topic      text     NOT NULL,
  is_public  boolean  NOT NULL,
  first_seq  bigint   NOT NULL,  -- The log holds first_seq to last_seq.
  last_seq   bigint   NOT NULL,
  member_seq bigint   NOT NULL,  -- Seq of the newest membership event.
  created_at bigint   NOT NULL,
  last_at    bigint   NOT NULL,  -- created_at of the newest event.
  state      smallint NOT NULL   -- 0 there; 1 deleted, rows to be purged; 2 deleted and purged.
) WITH (fillfactor = 50);        -- Each batch updates its rooms: room for HOT updates.

CREATE INDEX rooms_to_purge ON rooms (id) WHERE state = 1;

-- A removed member's row stays, with role 0, so that changed_seq tells where it ended.
CREATE TABLE members (
  room_id     text COLLATE "C" NOT NULL,
  user_id     text COLLATE "C" NOT NULL,
  role        smallint NOT NULL,
  changed_seq bigint   NOT NULL,
  changed_at  bigint   NOT NULL,
  PRIMARY KEY (room_id, user_id)
);

CREATE INDEX members_by_user ON members (user_id, room_id) WHERE role > 0;

-- Without a foreign key to rooms: its check would lock a row for every event.
CREATE TABLE events (
  room_id     text COLLATE "C" NOT NULL,
  seq         bigint   NOT NULL,
  kind        smallint NOT NULL,
  role        smallint NOT NULL,
  created_at  bigint   NOT NULL,
  actor_id    text COLLATE "C" NOT NULL,  -- Empty: the system.
  actor_name  text     NOT NULL,
  actor_email text     NOT NULL,
  dedup_key   text COLLATE "C" NOT NULL,  -- The key space's letter, then the key.
  message_id  text     NOT NULL,
  type        text     NOT NULL,
  content     text     NOT NULL,
  reply_to    text     NOT NULL,
  subject     text     NOT NULL,          -- The member that a membership event is about.
  PRIMARY KEY (room_id, seq)
);

CREATE UNIQUE INDEX events_dedup ON events (room_id, actor_id, dedup_key);

-- Counts who became active. A process that lost its lock and took it again sees by it whether
-- another one was active meanwhile.
CREATE TABLE activity (
  one   boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
  epoch bigint  NOT NULL
);

INSERT INTO activity (epoch) VALUES (0);
