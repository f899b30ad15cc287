-- What waits for a user. An inbox keeps the entries acked_seq + 1 to last_seq, but for those that
-- have expired.
CREATE TABLE inboxes (
  user_id   TEXT    NOT NULL PRIMARY KEY,
  acked_seq INTEGER NOT NULL,
  last_seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
  user_id         TEXT    NOT NULL,
  seq             INTEGER NOT NULL,
  notification_id TEXT    NOT NULL,
  event           TEXT    NOT NULL,
  is_binary       INTEGER NOT NULL,
  payload         TEXT    NOT NULL,  -- JSON as it came, bytes as base64url.
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  PRIMARY KEY (user_id, seq)
) STRICT;

CREATE INDEX notifications_to_expire ON notifications (expires_at);

-- Keys outlive their notifications, so that a late retry tells nothing twice.
CREATE TABLE inbox_keys (
  user_id         TEXT    NOT NULL,
  dedup_key       TEXT    NOT NULL,
  seq             INTEGER NOT NULL,
  notification_id TEXT    NOT NULL,
  created_at      INTEGER NOT NULL,
  PRIMARY KEY (user_id, dedup_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_keys_to_forget ON inbox_keys (created_at);
