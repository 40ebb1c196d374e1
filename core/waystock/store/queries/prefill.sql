-- Old rows for benchmarks, made by the server itself: as readings of long ago would look.

-- fixes --
INSERT INTO fix (
    time, captured_at, received_at, stream_id, stream_offset, device, clock, quality,
    lat, lon, speed_mps, course_deg_true, altitude_m, accuracy_m, hdop, satellites
)
SELECT
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    0,
    n,
    'old-g' || n %% %(vehicles)s::bigint,
    'gps',
    '{}',
    30.0 + (n %% %(vehicles)s::bigint) * 0.0005,
    121.0 + (n %% 8000) * 0.0001,
    18.0,
    90.0,
    12.0,
    5.0,
    0.9,
    11
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n;

-- scans --
INSERT INTO barcode_reading (
    time, captured_at, received_at, stream_id, stream_offset, device, clock, quality,
    aim, format, data, elements, repeats
)
SELECT
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    0,
    n,
    'old-' || n %% %(scanners)s::bigint,
    'gateway',
    '{}',
    ']C1',
    'gs1',
    '009' || lpad(n::text, 17, '0'),
    jsonb_build_array(jsonb_build_array('00', '9' || lpad(n::text, 17, '0'))),
    1
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n;

-- tags --
INSERT INTO rfid_reading (
    time, captured_at, received_at, stream_id, stream_offset, device, clock, quality,
    epc, presence, scheme, elements, antenna, rssi_dbm, reads
)
SELECT
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    0,
    n,
    'portal',
    'gateway',
    '{}',
    upper(left(md5(n::text), 24)),
    'arrived',
    '',
    '[]',
    1,
    -55.0,
    9
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n;

-- operations --
INSERT INTO operation (
    stream_id, stream_offset, occurred_at, captured_at, device, kind, lpn, gtin, lot, quantity,
    from_location, to_location, document, reason
)
SELECT
    0,
    n * 2 + leg.number,
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    leg.device,
    leg.kind,
    '9' || lpad(n::text, 17, '0'),
    lpad((n %% 100)::text, 14, '0'),
    'L',
    40,
    leg.from_location,
    leg.to_location,
    '',
    ''
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n
CROSS JOIN (
    VALUES
    (0, 'old-recv', 'receive', 'supplier/acme', 'bench/dock-1'),
    (1, 'old-store', 'putaway', 'bench/dock-1', 'bench/staging')
) AS leg (number, device, kind, from_location, to_location);

-- movements --
INSERT INTO movement (
    occurred_at, recorded_at, captured_at, stream_id, stream_offset, line, biz_step,
    from_location, to_location, gtin, lot, from_lpn, to_lpn, lpn, quantity, document, device
)
SELECT
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    %(first)s::timestamptz + n * %(step)s::interval,
    0,
    n * 2 + leg.number,
    0,
    leg.biz_step,
    leg.from_location,
    leg.to_location,
    lpad((n %% 100)::text, 14, '0'),
    'L',
    CASE leg.number WHEN 0 THEN '' ELSE '9' || lpad(n::text, 17, '0') END,
    '9' || lpad(n::text, 17, '0'),
    '9' || lpad(n::text, 17, '0'),
    40,
    '',
    leg.device
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n
CROSS JOIN (
    VALUES
    (0, 'old-recv', 'receiving', 'supplier/acme', 'bench/dock-1'),
    (1, 'old-store', 'storing', 'bench/dock-1', 'bench/staging')
) AS leg (number, device, biz_step, from_location, to_location);

-- lpns --
INSERT INTO lpn (lpn, location, changed_at)
SELECT
    '9' || lpad(n::text, 17, '0'),
    'bench/staging',
    %(first)s::timestamptz + n * %(step)s::interval
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n;

-- positions --
INSERT INTO stock_position (location, gtin, lot, lpn, on_hand, changed_at)
SELECT
    'bench/staging',
    lpad((n %% 100)::text, 14, '0'),
    'L',
    '9' || lpad(n::text, 17, '0'),
    40,
    %(first)s::timestamptz + n * %(step)s::interval
FROM generate_series(%(from)s::bigint, %(to)s::bigint - 1) AS n;

-- supplier_positions --
INSERT INTO stock_position (location, gtin, lot, lpn, on_hand, changed_at)
SELECT
    'supplier/acme',
    lpad((n %% 100)::text, 14, '0'),
    'L',
    '',
    -40 * count(*),
    now()
FROM generate_series(0, %(pallets)s::bigint - 1) AS n
GROUP BY 2
ON CONFLICT (location, gtin, lot, lpn) DO UPDATE
SET on_hand = stock_position.on_hand + excluded.on_hand;

-- analyze --
ANALYZE;
