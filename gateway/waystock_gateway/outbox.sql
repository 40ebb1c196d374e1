-- The outbox file. One row of `outbox` names the stream and the offset that the next event gets, so that
-- offsets grow even when every event has been delivered and deleted.
CREATE TABLE IF NOT EXISTS outbox (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    stream TEXT NOT NULL,
    next_offset INTEGER NOT NULL
) STRICT;

-- The gateway that the stream belongs to, as `site/gateway`: the store takes it from no other.
CREATE TABLE IF NOT EXISTS owner (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL
) STRICT;

-- Readings that the store has not yet committed, as they go onto the wire.
CREATE TABLE IF NOT EXISTS event (
    event_offset INTEGER PRIMARY KEY,
    captured_at TEXT NOT NULL,
    body BLOB NOT NULL,
    kind TEXT NOT NULL DEFAULT '',
    device TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS event_by_kind ON event (kind, event_offset);

-- What a device's session must know after a restart: its last code, its tags present, its last fix.
CREATE TABLE IF NOT EXISTS device_state (
    device TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (device, key)
) STRICT, WITHOUT ROWID;

-- The newest refused bytes (hex), for the technician.
CREATE TABLE IF NOT EXISTS reject (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    device TEXT NOT NULL,
    reason TEXT NOT NULL,
    raw TEXT NOT NULL
) STRICT;

-- The boot of the box that the events from `first_offset` on were taken in under: until its clock was set, they
-- are all wrong by the same time.
CREATE TABLE IF NOT EXISTS boot (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    boot_id TEXT NOT NULL,
    first_offset INTEGER NOT NULL
) STRICT;
