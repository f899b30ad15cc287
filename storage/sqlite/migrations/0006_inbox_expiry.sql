-- A full inbox is rid of its own expired entries with each write: they are found by their user,
-- however much of others has expired and is not tidied up yet.
CREATE INDEX inboxes_to_expire ON notifications (user_id, expires_at);
