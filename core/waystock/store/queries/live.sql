-- What screens show, built from the store. Each query takes %(keys)s: an array of keys, or null for all.

-- stock --
SELECT
    l.site,
    p.gtin,
    l.zone,
    sum(p.on_hand)::bigint AS on_hand,
    sum(p.reserved)::bigint AS reserved,
    max(p.changed_at) AS changed_at,
    max(p.captured_at) AS captured_at,
    max(r.reorder_point) AS reorder_point
FROM stock_position AS p
INNER JOIN location AS l USING (location)
LEFT JOIN reorder_point AS r ON l.site = r.site AND p.gtin = r.gtin
WHERE
    %(keys)s::text [] IS NULL
    OR (p.gtin = any(%(gtins)s::text []) AND l.site || '/' || p.gtin = any(%(keys)s::text []))
GROUP BY l.site, p.gtin, l.zone
ORDER BY l.site, p.gtin, l.zone;

-- transit --
WITH load AS (
    SELECT
        location,
        sum(on_hand)::bigint AS units,
        count(DISTINCT nullif(lpn, '')) FILTER (WHERE on_hand <> 0) AS lpns,
        max(changed_at) AS changed_at,
        max(captured_at) AS captured_at
    FROM stock_position
    WHERE
        location LIKE 'vehicle/%%'
        AND (%(keys)s::text [] IS NULL OR location = any(%(locations)s::text []))
    GROUP BY location
),

hit AS (
    SELECT shipment, array_agg(sales_order ORDER BY priority, promised_at, sales_order) AS orders
    FROM sales_order
    WHERE shipment IS NOT NULL
    GROUP BY shipment
)

SELECT
    v.vehicle,
    v.plate,
    s.lat,
    s.lon,
    s.speed_mps,
    s.course_deg_true,
    s.fix_time,
    coalesce(s.motion, 'unknown') AS motion,
    s.at_fence,
    s.shipment,
    stop.name ->> 'en' AS destination,
    stop.name ->> 'zh' AS destination_zh,
    s.remaining_m,
    s.eta,
    s.eta_p10,
    s.eta_p90,
    s.eta_model,
    s.window_end,
    s.late_s,
    coalesce(s.off_route, false) AS off_route,
    coalesce(load.units, 0) AS load_units,
    coalesce(load.lpns, 0) AS load_lpns,
    coalesce(hit.orders, '{}') AS orders,
    greatest(s.changed_at, load.changed_at, 'epoch') AS changed_at,
    greatest(s.captured_at, load.captured_at) AS captured_at
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN shipment_stop AS stop ON s.shipment = stop.shipment AND s.next_stop = stop.seq
LEFT JOIN load ON load.location = 'vehicle/' || v.vehicle
LEFT JOIN hit ON s.shipment = hit.shipment
WHERE %(keys)s::text [] IS NULL OR v.vehicle = any(%(keys)s::text [])
ORDER BY v.vehicle;

-- alerts --
SELECT
    a.alert_id,
    a.type,
    a.severity,
    a.site,
    a.subject,
    a.opened_at,
    a.cleared_at,
    a.figures,
    a.orders,
    a.captured_at,
    a.changed_at
FROM alert AS a
WHERE
    a.alert_id = any(%(keys)s::text [])
    OR (
        %(keys)s::text [] IS NULL
        AND (a.cleared_at IS NULL OR a.cleared_at > now() - interval '1 hour')
    )
ORDER BY a.opened_at DESC, a.alert_id
LIMIT 2000;

-- movements --
-- The newest by the index on recorded_at; keys are sought among those alone: older ones no screen shows any more.
SELECT m.*
FROM (
    SELECT
        stream_id,
        stream_offset,
        line,
        occurred_at,
        biz_step,
        from_location,
        to_location,
        gtin,
        lot,
        lpn,
        quantity,
        recorded_at,
        captured_at
    FROM movement
    WHERE
        biz_step <> 'opening'
        -- What is told a month after it happened stands in the ledger, but is no news; and the ledger is long.
        AND occurred_at > now() - interval '30 days'
        AND recorded_at > now() - interval '1 day'
    ORDER BY recorded_at DESC, stream_id, stream_offset, line
    LIMIT CASE WHEN %(keys)s::text [] IS NULL THEN 50 ELSE 500 END
) AS m
WHERE
    %(keys)s::text [] IS NULL
    OR m.stream_id || '-' || m.stream_offset || '-' || m.line = any(%(keys)s::text [])
ORDER BY m.recorded_at DESC, m.stream_id, m.stream_offset, m.line;

-- health --
SELECT
    g.site,
    g.gateway,
    s.state,
    s.reported_at,
    s.received_at,
    s.report
FROM gateway AS g
LEFT JOIN gateway_status AS s USING (site, gateway)
WHERE %(keys)s::text [] IS NULL OR g.site || '/' || g.gateway = any(%(keys)s::text [])
ORDER BY g.site, g.gateway;
