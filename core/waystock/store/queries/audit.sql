-- What is stored, counted one by one: for reports, chaos tests and `waystock db info`.

-- barcode_keys --
SELECT 'barcode' AS kind, device, data AS key
FROM barcode_reading
WHERE time >= %(since)s;

-- rfid_keys --
SELECT 'rfid' AS kind, device, epc || '|' || presence AS key
FROM rfid_reading
WHERE time >= %(since)s;

-- fix_keys --
SELECT 'position' AS kind, device, time AS key
FROM fix
WHERE time >= %(since)s;

-- alerts_by_type --
SELECT type, count(*)
FROM alert
WHERE opened_at >= %(since)s
GROUP BY type
ORDER BY type;

-- alert_subjects --
SELECT type, subject
FROM alert
WHERE opened_at >= %(since)s
ORDER BY type, subject;

-- readings_by_kind --
SELECT 'barcode' AS kind, count(*) FROM barcode_reading
UNION ALL
SELECT 'rfid', count(*) FROM rfid_reading
UNION ALL
SELECT 'position', count(*) FROM fix
UNION ALL
SELECT 'telemetry', count(*) FROM telemetry_reading
UNION ALL
SELECT 'health', count(*) FROM health_report;

-- stored_offsets --
SELECT s.stream, count(*) AS stored, count(DISTINCT k.stream_offset) AS offsets
FROM (
    SELECT stream_id, stream_offset FROM barcode_reading
    UNION ALL
    SELECT stream_id, stream_offset FROM rfid_reading
    UNION ALL
    SELECT stream_id, stream_offset FROM fix
    UNION ALL
    SELECT stream_id, stream_offset FROM telemetry_reading
    UNION ALL
    SELECT stream_id, stream_offset FROM health_report
    UNION ALL
    SELECT o.stream_id, d.stream_offset
    FROM dead_letter AS d
    INNER JOIN stream AS o ON d.stream = o.stream
    WHERE d.stream_offset IS NOT NULL
) AS k
INNER JOIN stream AS s ON k.stream_id = s.stream_id
GROUP BY s.stream;

-- committed_by_stream --
SELECT
    s.site,
    s.gateway,
    coalesce(sum(upper(r) - lower(r)), 0)::bigint AS committed
FROM stream AS s
LEFT JOIN LATERAL unnest(s.committed) AS r ON true
GROUP BY s.site, s.gateway
ORDER BY s.site, s.gateway;

-- dead_letters --
SELECT count(*) FROM dead_letter;

-- ledger_mismatches --
WITH folded AS (
    SELECT location, gtin, lot, lpn, sum(quantity) AS on_hand
    FROM (
        SELECT to_location AS location, gtin, lot, to_lpn AS lpn, quantity FROM movement
        UNION ALL
        SELECT from_location, gtin, lot, from_lpn, -quantity FROM movement
    ) AS leg
    GROUP BY location, gtin, lot, lpn
)

SELECT
    coalesce(f.location, p.location) AS location,
    coalesce(f.gtin, p.gtin) AS gtin,
    coalesce(f.lot, p.lot) AS lot,
    coalesce(f.lpn, p.lpn) AS lpn,
    coalesce(f.on_hand, 0)::bigint AS ledger,
    coalesce(p.on_hand, 0) AS projection
FROM folded AS f
FULL JOIN stock_position AS p
    ON
        f.location = p.location
        AND f.gtin = p.gtin
        AND f.lot = p.lot
        AND f.lpn = p.lpn
WHERE coalesce(f.on_hand, 0) <> coalesce(p.on_hand, 0)
ORDER BY 1, 2, 3, 4;

-- positions --
SELECT count(*) FROM stock_position;
