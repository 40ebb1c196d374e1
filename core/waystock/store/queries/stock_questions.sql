-- What a warehouse is asked about its past (docs/questions.md). Every question takes its filters (null: don't care),
-- %(after)s (the key of the last row seen, as an array of text, or null) and %(limit)s.

-- stock_as_of --
-- Today's positions less what happened after %(at)s: as exact as summing the ledger from its first line, quick for the
-- recent past, and right even where old lines of the ledger have been put away.
WITH later AS (
    SELECT leg.location, leg.gtin, leg.lot, leg.lpn, sum(leg.quantity) AS change
    FROM (
        SELECT m.to_location AS location, m.gtin, m.lot, m.to_lpn AS lpn, m.quantity
        FROM movement AS m
        WHERE
            m.occurred_at > %(at)s
            AND (%(location)s::text IS NULL OR m.to_location = %(location)s)
            AND (%(after)s::text [] IS NULL OR m.to_location >= (%(after)s::text [])[1])
            AND (%(gtin)s::text IS NULL OR m.gtin = %(gtin)s)
            AND (%(lot)s::text IS NULL OR m.lot = %(lot)s)
            AND (%(lpn)s::text IS NULL OR m.to_lpn = %(lpn)s)
        UNION ALL
        SELECT m.from_location, m.gtin, m.lot, m.from_lpn, -m.quantity
        FROM movement AS m
        WHERE
            m.occurred_at > %(at)s
            AND (%(location)s::text IS NULL OR m.from_location = %(location)s)
            AND (%(after)s::text [] IS NULL OR m.from_location >= (%(after)s::text [])[1])
            AND (%(gtin)s::text IS NULL OR m.gtin = %(gtin)s)
            AND (%(lot)s::text IS NULL OR m.lot = %(lot)s)
            AND (%(lpn)s::text IS NULL OR m.from_lpn = %(lpn)s)
    ) AS leg
    GROUP BY leg.location, leg.gtin, leg.lot, leg.lpn
),

now_there AS (
    SELECT p.location, p.gtin, p.lot, p.lpn, p.on_hand
    FROM stock_position AS p
    WHERE
        (%(location)s::text IS NULL OR p.location = %(location)s)
        AND (%(after)s::text [] IS NULL OR p.location >= (%(after)s::text [])[1])
        AND (%(gtin)s::text IS NULL OR p.gtin = %(gtin)s)
        AND (%(lot)s::text IS NULL OR p.lot = %(lot)s)
        AND (%(lpn)s::text IS NULL OR p.lpn = %(lpn)s)
),

stock AS (
    SELECT
        location,
        gtin,
        lot,
        lpn,
        (coalesce(now_there.on_hand, 0) - coalesce(later.change, 0))::bigint AS on_hand
    FROM now_there
    FULL JOIN later USING (location, gtin, lot, lpn)
)

SELECT
    stock.location,
    l.site,
    l.zone,
    stock.gtin,
    stock.lot,
    stock.lpn,
    stock.on_hand
FROM stock
LEFT JOIN location AS l USING (location)
WHERE
    stock.on_hand <> 0
    AND (%(site)s::text IS NULL OR l.site = %(site)s)
    AND (
        %(outside)s
        OR %(location)s::text IS NOT NULL
        OR split_part(stock.location, '/', 1) NOT IN ('supplier', 'customer', 'adjustment')
    )
    AND (
        %(after)s::text [] IS NULL
        OR (stock.location, stock.gtin, stock.lot, stock.lpn)
        > ((%(after)s::text [])[1], (%(after)s::text [])[2], (%(after)s::text [])[3], (%(after)s::text [])[4])
    )
ORDER BY stock.location, stock.gtin, stock.lot, stock.lpn
LIMIT %(limit)s;

-- vehicle_contents --
-- The pattern beside each location is what lets the partial indexes of vehicles' lines answer.
WITH later AS (
    SELECT leg.gtin, leg.lot, leg.lpn, sum(leg.quantity) AS change
    FROM (
        SELECT m.gtin, m.lot, m.to_lpn AS lpn, m.quantity
        FROM movement AS m
        WHERE
            m.to_location = 'vehicle/' || %(vehicle)s::text
            AND m.to_location LIKE 'vehicle/%%'
            AND m.occurred_at > %(at)s
        UNION ALL
        SELECT m.gtin, m.lot, m.from_lpn, -m.quantity
        FROM movement AS m
        WHERE
            m.from_location = 'vehicle/' || %(vehicle)s::text
            AND m.from_location LIKE 'vehicle/%%'
            AND m.occurred_at > %(at)s
    ) AS leg
    GROUP BY leg.gtin, leg.lot, leg.lpn
),

now_there AS (
    SELECT p.gtin, p.lot, p.lpn, p.on_hand
    FROM stock_position AS p
    WHERE p.location = 'vehicle/' || %(vehicle)s::text
),

load AS (
    SELECT
        gtin,
        lot,
        lpn,
        (coalesce(now_there.on_hand, 0) - coalesce(later.change, 0))::bigint AS quantity
    FROM now_there
    FULL JOIN later USING (gtin, lot, lpn)
)

SELECT
    load.lpn,
    load.gtin,
    load.lot,
    load.quantity,
    p.name,
    loaded.loaded_at,
    planned.shipment,
    planned.vehicle AS planned_vehicle
FROM load
LEFT JOIN product AS p USING (gtin)
LEFT JOIN LATERAL (
    SELECT m.occurred_at AS loaded_at
    FROM movement AS m
    WHERE
        load.lpn <> ''
        AND m.lpn = load.lpn
        AND m.to_location = 'vehicle/' || %(vehicle)s::text
        AND m.occurred_at <= %(at)s
    ORDER BY m.occurred_at DESC
    LIMIT 1
) AS loaded ON true
LEFT JOIN LATERAL (
    SELECT s.shipment, s.vehicle
    FROM shipment_lpn AS listed
    INNER JOIN shipment AS s USING (shipment)
    WHERE listed.lpn = load.lpn
    ORDER BY s.depart_at DESC, s.shipment
    LIMIT 1
) AS planned ON true
WHERE
    load.quantity <> 0
    AND (
        %(after)s::text [] IS NULL
        OR (load.lpn, load.gtin, load.lot)
        > ((%(after)s::text [])[1], (%(after)s::text [])[2], (%(after)s::text [])[3])
    )
ORDER BY load.lpn, load.gtin, load.lot
LIMIT %(limit)s;

-- movements --
SELECT
    m.occurred_at,
    m.recorded_at,
    m.biz_step,
    m.from_location,
    m.to_location,
    m.gtin,
    m.lot,
    m.from_lpn,
    m.to_lpn,
    m.lpn,
    m.quantity,
    m.document,
    m.device,
    m.stream_id,
    m.stream_offset,
    m.line
FROM movement AS m
WHERE
    m.occurred_at >= %(since)s
    AND m.occurred_at < %(until)s
    AND (%(gtin)s::text IS NULL OR m.gtin = %(gtin)s)
    AND (%(lot)s::text IS NULL OR m.lot = %(lot)s)
    AND (%(lpn)s::text IS NULL OR m.lpn = %(lpn)s)
    AND (%(document)s::text IS NULL OR (m.document = %(document)s AND m.document <> ''))
    AND (%(location)s::text IS NULL OR %(location)s IN (m.from_location, m.to_location))
    AND (
        %(after)s::text [] IS NULL
        OR (m.occurred_at, m.stream_id, m.stream_offset, m.line) < (
            ((%(after)s::text [])[1])::timestamptz,
            ((%(after)s::text [])[2])::integer,
            ((%(after)s::text [])[3])::bigint,
            ((%(after)s::text [])[4])::integer
        )
    )
ORDER BY m.occurred_at DESC, m.stream_id DESC, m.stream_offset DESC, m.line DESC
LIMIT %(limit)s;

-- epc_reads --
SELECT
    r.time,
    r.device,
    d.read_point,
    l.site,
    d.biz_step,
    a.vehicle,
    r.epc,
    r.presence,
    r.direction,
    coalesce(r.sighting, false) AS sighting,
    r.scheme,
    r.epc_uri,
    r.digital_link,
    named.gtin,
    named.lpn,
    plate.location AS lpn_location_now,
    r.antenna,
    r.rssi_dbm,
    r.reads,
    r.quality,
    r.stream_id,
    r.stream_offset
FROM rfid_reading AS r
LEFT JOIN device AS d USING (device)
LEFT JOIN assignment AS a ON r.device = a.device AND a.during @> r.time
LEFT JOIN location AS l ON d.read_point = l.location
CROSS JOIN LATERAL (
    SELECT
        max(e.element ->> 1) FILTER (WHERE e.element ->> 0 = '01') AS gtin,
        max(e.element ->> 1) FILTER (WHERE e.element ->> 0 = '00') AS lpn
    FROM jsonb_array_elements(r.elements) AS e (element)
) AS named
LEFT JOIN lpn AS plate ON named.lpn = plate.lpn
WHERE
    r.time >= %(since)s
    AND r.time < %(until)s
    AND (%(epc)s::text IS NULL OR r.epc = %(epc)s)
    AND (%(digital_link)s::text IS NULL OR r.digital_link = %(digital_link)s)
    AND (
        %(after)s::text [] IS NULL
        OR (r.time, r.stream_id, r.stream_offset) < (
            ((%(after)s::text [])[1])::timestamptz,
            ((%(after)s::text [])[2])::integer,
            ((%(after)s::text [])[3])::bigint
        )
    )
ORDER BY r.time DESC, r.stream_id DESC, r.stream_offset DESC
LIMIT %(limit)s;
