-- What came over the wire: streams and their committed offsets, raw readings, dead letters.

CREATE TABLE stream (
    stream_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    stream uuid NOT NULL UNIQUE,
    site text NOT NULL,
    gateway text NOT NULL,
    committed int8multirange NOT NULL DEFAULT '{}',
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_batch_at timestamptz
);
COMMENT ON COLUMN stream.committed IS
    'Offsets whose effects are in the store. Exactly-once rests on this: changed only in the transaction that writes the data.';

CREATE TABLE barcode_reading (
    time timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    device text NOT NULL,
    clock text NOT NULL,
    quality text [] NOT NULL,
    raw text,
    aim text NOT NULL,
    format text NOT NULL,
    data text NOT NULL,
    elements jsonb NOT NULL,
    repeats integer NOT NULL
);
CALL make_hypertable('barcode_reading', 'time', interval '7 days');
CREATE INDEX barcode_reading_device_time ON barcode_reading (device, time DESC);

CREATE TABLE rfid_reading (
    time timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    device text NOT NULL,
    clock text NOT NULL,
    quality text [] NOT NULL,
    raw text,
    epc text NOT NULL,
    presence text NOT NULL,
    scheme text NOT NULL,
    tag_uri text,
    epc_uri text,
    digital_link text,
    elements jsonb NOT NULL,
    filter smallint,
    antenna smallint,
    rssi_dbm real,
    reads integer NOT NULL
);
CALL make_hypertable('rfid_reading', 'time', interval '7 days');
CREATE INDEX rfid_reading_device_time ON rfid_reading (device, time DESC);
CREATE INDEX rfid_reading_epc_time ON rfid_reading (epc, time DESC);

CREATE TABLE fix (
    time timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    device text NOT NULL,
    clock text NOT NULL,
    quality text [] NOT NULL,
    raw text,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    speed_mps real,
    course_deg_true real,
    altitude_m real,
    accuracy_m real,
    hdop real,
    satellites smallint
);
CALL make_hypertable('fix', 'time', interval '1 day');
CREATE INDEX fix_device_time ON fix (device, time DESC);

CREATE TABLE telemetry_reading (
    time timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    device text NOT NULL,
    clock text NOT NULL,
    quality text [] NOT NULL,
    raw text,
    measured jsonb NOT NULL
);
CALL make_hypertable('telemetry_reading', 'time', interval '1 day');
CREATE INDEX telemetry_reading_device_time ON telemetry_reading (device, time DESC);

CREATE TABLE health_report (
    time timestamptz NOT NULL,
    captured_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    device text NOT NULL,
    clock text NOT NULL,
    quality text [] NOT NULL,
    raw text,
    state text NOT NULL,
    message text NOT NULL,
    measured jsonb NOT NULL
);
CALL make_hypertable('health_report', 'time', interval '7 days');
CREATE INDEX health_report_device_time ON health_report (device, time DESC);

CREATE TABLE dead_letter (
    dead_letter_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    received_at timestamptz NOT NULL DEFAULT now(),
    topic text NOT NULL,
    stream uuid,
    stream_offset bigint,
    stage text NOT NULL,
    reason text NOT NULL,
    payload bytea NOT NULL,
    times integer NOT NULL DEFAULT 1
);
-- A message that can't be read at all is never acknowledged, so its gateway sends it again.
CREATE UNIQUE INDEX dead_letter_once ON dead_letter (topic, md5(payload))
WHERE stream_offset IS NULL;
CREATE INDEX dead_letter_received_at ON dead_letter (received_at DESC);

CREATE TABLE gateway_status (
    site text NOT NULL,
    gateway text NOT NULL,
    state text NOT NULL,
    reported_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    report jsonb NOT NULL,
    PRIMARY KEY (site, gateway)
);
