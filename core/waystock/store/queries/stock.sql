-- Scans, operations, the ledger and its projection.

-- scans --
WITH wanted AS (
    SELECT *
    FROM unnest(%(devices)s::text [], %(since)s::timestamptz [], %(until)s::timestamptz [])
        AS w (device, since, until)
)

SELECT
    r.device, r.stream_id, r.stream_offset, r.time, r.captured_at, r.data, r.elements::text,
    NULL::text AS direction
FROM wanted AS w
INNER JOIN barcode_reading AS r ON r.device = w.device AND r.time BETWEEN w.since AND w.until
WHERE r.time BETWEEN %(first)s AND %(last)s
UNION ALL
SELECT
    r.device, r.stream_id, r.stream_offset, r.time, r.captured_at, r.epc, r.elements::text,
    r.direction
FROM wanted AS w
INNER JOIN rfid_reading AS r ON r.device = w.device AND r.time BETWEEN w.since AND w.until
WHERE
    r.time BETWEEN %(first)s AND %(last)s
    AND (r.presence <> 'departed' OR r.direction IS NOT NULL)
    AND r.sighting IS NOT TRUE
ORDER BY 1, 4, 3, 2;

-- scans_around --
-- Of each device, how many scans there are from the first new one on, and the last ones before it.
SELECT
    w.device,
    (
        SELECT count(*) FROM barcode_reading AS r
        WHERE
            r.device = w.device
            AND r.time BETWEEN w.first AND w.until
            AND r.time BETWEEN %(first)s AND %(last)s
    ) + (
        SELECT count(*) FROM rfid_reading AS r
        WHERE
            r.device = w.device
            AND r.time BETWEEN w.first AND w.until
            AND r.time BETWEEN %(first)s AND %(last)s
            AND (r.presence <> 'departed' OR r.direction IS NOT NULL)
            AND r.sighting IS NOT TRUE
    ) AS scans,
    b.stream_id, b.stream_offset, b.time, b.captured_at, b.data, b.elements::text, b.direction
FROM unnest(
    %(devices)s::text [], %(since)s::timestamptz [], %(firsts)s::timestamptz [],
    %(until)s::timestamptz []
) AS w (device, since, first, until)
LEFT JOIN LATERAL (
    (
        SELECT
            r.stream_id, r.stream_offset, r.time, r.captured_at, r.data, r.elements,
            NULL::text AS direction
        FROM barcode_reading AS r
        WHERE
            r.device = w.device
            AND r.time >= w.since
            AND r.time < w.first
            AND r.time BETWEEN %(first)s AND %(last)s
        ORDER BY r.time DESC
        LIMIT %(rows)s
    )
    UNION ALL
    (
        SELECT
            r.stream_id, r.stream_offset, r.time, r.captured_at, r.epc, r.elements, r.direction
        FROM rfid_reading AS r
        WHERE
            r.device = w.device
            AND r.time >= w.since
            AND r.time < w.first
            AND r.time BETWEEN %(first)s AND %(last)s
            AND (r.presence <> 'departed' OR r.direction IS NOT NULL)
            AND r.sighting IS NOT TRUE
        ORDER BY r.time DESC
        LIMIT %(rows)s
    )
    ORDER BY time DESC
    LIMIT %(rows)s
) AS b ON true;

-- lock_devices --
SELECT device FROM device
WHERE device = any(%(devices)s::text []) ORDER BY device FOR NO KEY UPDATE;

-- remove_operations --
DELETE FROM operation AS o
USING
    unnest(%(devices)s::text [], %(since)s::timestamptz [], %(until)s::timestamptz [])
        AS w (device, since, until)
WHERE o.device = w.device AND o.occurred_at BETWEEN w.since AND w.until
RETURNING
    o.stream_id, o.stream_offset, o.occurred_at, o.captured_at, o.device, o.kind, o.lpn, o.gtin,
    o.lot, o.quantity, o.from_location, o.to_location, o.document, o.reason;

-- lock_lpns --
SELECT lpn, location FROM lpn
WHERE lpn = any(%(lpns)s::text []) ORDER BY lpn FOR UPDATE;

-- add_lpns --
-- One that is made here is ours until the transaction ends.
INSERT INTO lpn (lpn, location, changed_at)
SELECT
    unnest(%(lpns)s::text []),
    unnest(%(locations)s::text []),
    clock_timestamp()
ON CONFLICT (lpn) DO NOTHING;

-- operations_of_lpns --
SELECT
    stream_id, stream_offset, occurred_at, captured_at, device, kind, lpn, gtin, lot, quantity,
    from_location, to_location, document, reason
FROM operation
WHERE lpn = any(%(lpns)s::text []) AND lpn <> '';

-- movements_of_lpns --
SELECT
    stream_id, stream_offset, line, occurred_at, captured_at, biz_step, from_location, to_location,
    gtin, lot, from_lpn, to_lpn, lpn, quantity, document, device
FROM movement
WHERE
    lpn = any(%(lpns)s::text [])
    AND lpn <> ''
    AND occurred_at BETWEEN %(first)s AND %(last)s;

-- remove_movements --
DELETE FROM movement AS m
USING
    unnest(
        %(occurred_at)s::timestamptz [], %(stream_ids)s::integer [],
        %(stream_offsets)s::bigint [], %(lines)s::integer []
    ) AS g (occurred_at, stream_id, stream_offset, line)
WHERE
    m.occurred_at = g.occurred_at
    AND m.stream_id = g.stream_id
    AND m.stream_offset = g.stream_offset
    AND m.line = g.line
    AND m.occurred_at BETWEEN %(first)s AND %(last)s;

-- place_lpns --
UPDATE lpn SET location = p.location, changed_at = clock_timestamp()
FROM (
    SELECT
        unnest(%(lpns)s::text []) AS lpn,
        unnest(%(locations)s::text []) AS location
) AS p
WHERE lpn.lpn = p.lpn AND lpn.location <> p.location;

-- forget_lpns --
DELETE FROM lpn
WHERE lpn = any(%(lpns)s::text []);

-- change_positions --
INSERT INTO stock_position AS p (
    location, gtin, lot, lpn, on_hand, changed_at, captured_at
)
SELECT c.location, c.gtin, c.lot, c.lpn, c.change, clock_timestamp(), %(captured_at)s
FROM unnest(
    %(locations)s::text [], %(gtins)s::text [], %(lots)s::text [], %(lpns)s::text [],
    %(changes)s::bigint []
) AS c (location, gtin, lot, lpn, change)
ON CONFLICT (location, gtin, lot, lpn) DO UPDATE SET
on_hand = p.on_hand + excluded.on_hand,
changed_at = greatest(clock_timestamp(), p.changed_at + interval '1 microsecond'),
captured_at = greatest(p.captured_at, excluded.captured_at);

-- levels --
SELECT r.site, r.gtin, r.reorder_point, coalesce(sum(p.on_hand), 0)::bigint AS on_hand
FROM unnest(%(sites)s::text [], %(gtins)s::text []) AS k (site, gtin)
INNER JOIN reorder_point AS r USING (site, gtin)
LEFT JOIN
    (stock_position AS p INNER JOIN location AS l USING (location))
    ON r.site = l.site AND r.gtin = p.gtin
GROUP BY r.site, r.gtin, r.reorder_point
ORDER BY r.site, r.gtin;

-- level_changes --
SELECT k.site, m.gtin, m.occurred_at, sum(m.signed)::bigint AS change, max(m.captured_at)
FROM unnest(%(sites)s::text [], %(gtins)s::text [], %(since)s::timestamptz [])
    AS k (site, gtin, since)
INNER JOIN LATERAL (
    SELECT gtin, occurred_at, quantity AS signed, captured_at FROM movement
    WHERE
        gtin = k.gtin
        AND occurred_at >= k.since
        AND occurred_at >= %(first)s
        AND to_location LIKE k.site || '/%%'
    UNION ALL
    SELECT gtin, occurred_at, -quantity, captured_at FROM movement
    WHERE
        gtin = k.gtin
        AND occurred_at >= k.since
        AND occurred_at >= %(first)s
        AND from_location LIKE k.site || '/%%'
) AS m ON true
GROUP BY k.site, m.gtin, m.occurred_at
HAVING sum(m.signed) <> 0
ORDER BY k.site, m.gtin, m.occurred_at;

-- receipts --
SELECT
    po.purchase_order,
    po.site,
    po.supplier,
    line.gtin,
    line.quantity AS expected,
    coalesce(
        (
            SELECT sum(m.quantity) FROM movement AS m
            WHERE
                m.document = po.purchase_order
                AND m.document <> ''
                AND m.biz_step = 'receiving'
                AND m.gtin = line.gtin
        ), 0
    )::bigint AS received,
    closed.closed_at,
    closed.captured_at
FROM purchase_order AS po
INNER JOIN purchase_order_line AS line USING (purchase_order)
INNER JOIN (
    SELECT document, min(occurred_at) AS closed_at, min(captured_at) AS captured_at
    FROM operation
    WHERE
        kind = 'close_receipt'
        AND document = any(%(purchase_orders)s::text [])
        AND document <> ''
    GROUP BY document
) AS closed ON po.purchase_order = closed.document
WHERE po.purchase_order = any(%(purchase_orders)s::text [])
ORDER BY po.purchase_order, line.gtin;

-- orders_for_product --
SELECT
    k.site,
    k.gtin,
    array_agg(o.sales_order ORDER BY o.priority, o.promised_at, o.sales_order) AS orders
FROM unnest(%(sites)s::text [], %(gtins)s::text [], %(at)s::timestamptz []) AS k (site, gtin, at)
INNER JOIN sales_order_line AS line USING (gtin)
INNER JOIN sales_order AS o ON line.sales_order = o.sales_order AND k.site = o.site
LEFT JOIN shipment AS s ON o.shipment = s.shipment
WHERE s.shipment IS NULL OR s.depart_at > k.at
GROUP BY k.site, k.gtin;

-- orders_of_shipments --
SELECT shipment, array_agg(sales_order ORDER BY priority, promised_at, sales_order) AS orders
FROM sales_order
WHERE shipment = any(%(shipments)s::text [])
GROUP BY shipment;

-- goods_of_shipments --
SELECT k.shipment, g.units, g.pallets
FROM unnest(%(shipments)s::text []) AS k (shipment)
CROSS JOIN LATERAL goods_of_stop(k.shipment, NULL) AS g;

-- lock_levels --
SELECT r.site, r.gtin FROM reorder_point AS r
INNER JOIN unnest(%(sites)s::text [], %(gtins)s::text []) AS k (site, gtin) USING (site, gtin)
ORDER BY r.site, r.gtin FOR NO KEY UPDATE OF r;

-- lock_receipts --
SELECT purchase_order FROM purchase_order
WHERE purchase_order = any(%(purchase_orders)s::text [])
ORDER BY purchase_order FOR NO KEY UPDATE;
