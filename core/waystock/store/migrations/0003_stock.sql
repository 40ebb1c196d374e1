-- The ledger and its projection. A vehicle is a location, so goods in transit are positions.

CREATE TABLE operation (
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    device text NOT NULL,
    kind text NOT NULL,
    lpn text NOT NULL,
    gtin text NOT NULL,
    lot text NOT NULL,
    quantity bigint NOT NULL,
    from_location text NOT NULL,
    to_location text NOT NULL,
    document text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (stream_id, stream_offset)
);
COMMENT ON TABLE operation IS
    'What each scan was understood to mean. A late reading may change the meaning of scans near it; then the rows are replaced.';
COMMENT ON COLUMN operation.reason IS 'Why a scan completed nothing (kind unexplained), else empty.';
CREATE INDEX operation_lpn ON operation (lpn, occurred_at) WHERE lpn <> '';
CREATE INDEX operation_device ON operation (device, occurred_at);
CREATE INDEX operation_document ON operation (document) WHERE document <> '';

CREATE TABLE lpn (
    lpn text PRIMARY KEY,
    location text NOT NULL DEFAULT '',
    changed_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE lpn IS 'One row a licence plate: the lock under which its history is folded, and where it is now.';

CREATE TABLE movement (
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    captured_at timestamptz,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    line integer NOT NULL,
    biz_step text NOT NULL,
    from_location text NOT NULL,
    to_location text NOT NULL,
    gtin text NOT NULL,
    lot text NOT NULL,
    from_lpn text NOT NULL,
    to_lpn text NOT NULL,
    lpn text NOT NULL,
    quantity bigint NOT NULL,
    document text NOT NULL,
    device text NOT NULL
);
COMMENT ON COLUMN movement.lpn IS 'The licence plate whose history produced this row; from_lpn and to_lpn are the position keys.';
CALL make_hypertable('movement', 'occurred_at', interval '30 days');
CREATE INDEX movement_lpn ON movement (lpn, occurred_at);
CREATE INDEX movement_gtin ON movement (gtin, occurred_at);
CREATE INDEX movement_document ON movement (document) WHERE document <> '';
CREATE INDEX movement_recorded ON movement (recorded_at DESC);

CREATE TABLE stock_position (
    location text NOT NULL,
    gtin text NOT NULL,
    lot text NOT NULL,
    lpn text NOT NULL,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    changed_at timestamptz NOT NULL,
    captured_at timestamptz,
    PRIMARY KEY (location, gtin, lot, lpn)
);
COMMENT ON COLUMN stock_position.on_hand IS
    'Sum of the ledger. May be negative: a physical contradiction is kept and shown, never dropped.';
CREATE INDEX stock_position_gtin ON stock_position (gtin);
