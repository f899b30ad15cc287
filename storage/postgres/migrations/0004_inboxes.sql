-- What waits for a user. An inbox keeps the entries acked_seq + 1 to last_seq, but for those that
-- have expired.
CREATE TABLE inboxes (
  user_id   text COLLATE "C" NOT NULL PRIMARY KEY,
  acked_seq bigint NOT NULL,
  last_seq  bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE notifications (
  user_id         text COLLATE "C" NOT NULL,
  seq             bigint  NOT NULL,
  notification_id text    NOT NULL,
  event           text    NOT NULL,
  is_binary       boolean NOT NULL,
  payload         text    NOT NULL,  -- JSON as it came, bytes as base64url.
  created_at      bigint  NOT NULL,
  expires_at      bigint  NOT NULL,
  PRIMARY KEY (user_id, seq)
);

CREATE INDEX notifications_to_expire ON notifications (expires_at);

-- Keys outlive their notifications, so that a late retry tells nothing twice.
CREATE TABLE inbox_keys (
  user_id         text COLLATE "C" NOT NULL,
  dedup_key       text COLLATE "C" NOT NULL,
  seq             bigint NOT NULL,
  notification_id text   NOT NULL,
  created_at      bigint NOT NULL,
  PRIMARY KEY (user_id, dedup_key)
);

CREATE INDEX inbox_keys_to_forget ON inbox_keys (created_at);
