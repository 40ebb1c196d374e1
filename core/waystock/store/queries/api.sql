-- The REST resources. Every list takes its filters (null: don't care), %(after)s (the key of the last row seen,
-- as an array of text, or null) and %(limit)s.

-- sites --
SELECT
    site,
    name,
    lat,
    lon,
    time_zone
FROM site
WHERE %(after)s::text [] IS NULL OR site > (%(after)s::text [])[1]
ORDER BY site
LIMIT %(limit)s;

-- products --
SELECT
    p.gtin,
    p.name,
    p.lot_tracked,
    p.unit,
    coalesce(
        (SELECT jsonb_object_agg(r.site, r.reorder_point) FROM reorder_point AS r WHERE r.gtin = p.gtin), '{}'
    ) AS reorder_points
FROM product AS p
WHERE
    (%(gtin)s::text IS NULL OR p.gtin = %(gtin)s)
    AND (%(after)s::text [] IS NULL OR p.gtin > (%(after)s::text [])[1])
ORDER BY p.gtin
LIMIT %(limit)s;

-- positions --
SELECT
    p.location,
    l.site,
    l.zone,
    p.gtin,
    p.lot,
    p.lpn,
    p.on_hand,
    p.reserved,
    p.changed_at,
    p.captured_at
FROM stock_position AS p
LEFT JOIN location AS l USING (location)
WHERE
    (%(site)s::text IS NULL OR l.site = %(site)s)
    AND (%(location)s::text IS NULL OR p.location = %(location)s)
    AND (%(gtin)s::text IS NULL OR p.gtin = %(gtin)s)
    AND (%(lot)s::text IS NULL OR p.lot = %(lot)s)
    AND (%(lpn)s::text IS NULL OR p.lpn = %(lpn)s)
    AND (p.on_hand <> 0 OR p.reserved <> 0)
    AND (
        %(outside)s
        OR %(location)s::text IS NOT NULL
        OR split_part(p.location, '/', 1) NOT IN ('supplier', 'customer', 'adjustment')
    )
    AND (
        %(after)s::text [] IS NULL
        OR (p.location, p.gtin, p.lot, p.lpn)
        > ((%(after)s::text [])[1], (%(after)s::text [])[2], (%(after)s::text [])[3], (%(after)s::text [])[4])
    )
ORDER BY p.location, p.gtin, p.lot, p.lpn
LIMIT %(limit)s;

-- vehicles --
WITH load AS (
    SELECT
        location,
        sum(on_hand)::bigint AS units,
        count(DISTINCT nullif(lpn, '')) FILTER (WHERE on_hand <> 0) AS lpns
    FROM stock_position
    WHERE location LIKE 'vehicle/%%'
    GROUP BY location
)

SELECT
    v.vehicle,
    v.plate,
    s.lat,
    s.lon,
    s.speed_mps,
    s.course_deg_true,
    s.fix_time,
    s.captured_at,
    s.at_fence,
    s.shipment,
    sh.from_site,
    s.next_stop,
    stop.name AS destination,
    s.remaining_m,
    s.eta,
    s.eta_p10,
    s.eta_p90,
    s.eta_model,
    s.window_end,
    s.late_s,
    s.changed_at,
    coalesce(s.motion, 'unknown') AS motion,
    coalesce(s.off_route, false) AS off_route,
    coalesce(load.units, 0) AS load_units,
    coalesce(load.lpns, 0) AS load_lpns,
    driving.driver,
    drawn.trailer
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN shipment AS sh USING (shipment)
LEFT JOIN shipment_stop AS stop ON s.shipment = stop.shipment AND s.next_stop = stop.seq
LEFT JOIN load ON load.location = 'vehicle/' || v.vehicle
LEFT JOIN assignment AS driving
    ON v.vehicle = driving.vehicle AND driving.driver IS NOT NULL AND driving.during @> now()
LEFT JOIN assignment AS drawn
    ON v.vehicle = drawn.vehicle AND drawn.trailer IS NOT NULL AND drawn.during @> now()
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(site)s::text IS NULL OR sh.from_site = %(site)s)
    AND (%(shipment)s::text IS NULL OR s.shipment = %(shipment)s)
    AND (%(motion)s::text IS NULL OR coalesce(s.motion, 'unknown') = %(motion)s)
    AND (%(off_route)s::boolean IS NULL OR coalesce(s.off_route, false) = %(off_route)s)
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;

-- track --
SELECT
    f.time,
    f.device,
    f.lat,
    f.lon,
    f.speed_mps,
    f.course_deg_true,
    f.altitude_m,
    f.accuracy_m,
    f.quality,
    f.stream_id,
    f.stream_offset
FROM assignment AS a
INNER JOIN fix AS f ON a.device = f.device AND a.during @> f.time
WHERE
    a.vehicle = %(vehicle)s
    AND f.time >= %(since)s
    AND f.time < %(until)s
    -- A page begins where the one before ended, not at the beginning of the track.
    AND f.time >= coalesce(((%(after)s::text [])[1])::timestamptz, '-infinity')
    AND (
        %(after)s::text [] IS NULL
        OR (f.time, f.stream_id, f.stream_offset) > (
            ((%(after)s::text [])[1])::timestamptz,
            ((%(after)s::text [])[2])::integer,
            ((%(after)s::text [])[3])::bigint
        )
    )
ORDER BY f.time, f.stream_id, f.stream_offset
LIMIT %(limit)s;

-- shipments --
WITH listed AS (
    SELECT
        s.shipment,
        s.vehicle,
        v.plate,
        s.from_site,
        s.dock_door,
        s.door_from,
        s.door_to,
        s.depart_at,
        s.route,
        s.planned_speed_mps,
        state.next_stop,
        state.remaining_m,
        state.eta,
        state.eta_p10,
        state.eta_p90,
        state.eta_model,
        state.late_s,
        coalesce(state.off_route, false) AS off_route,
        CASE
            WHEN done.arrived > 0 AND done.arrived = done.stops THEN 'arrived'
            WHEN s.closed_at <= now() THEN 'closed'
            WHEN done.arrived > 0 THEN 'in_transit'
            WHEN
                state.shipment IS NOT NULL
                AND here.site IS DISTINCT FROM s.from_site
                AND (
                    state.fix_time >= s.depart_at
                    OR EXISTS (
                        SELECT 1
                        FROM visit AS left_site
                        INNER JOIN fence AS yard USING (fence)
                        WHERE
                            left_site.vehicle = s.vehicle
                            AND yard.site = s.from_site
                            AND left_site.exited_at >= coalesce(s.door_from, s.depart_at)
                    )
                ) THEN 'in_transit'
            WHEN
                now() BETWEEN s.door_from AND s.door_to
                OR EXISTS (
                    SELECT 1
                    FROM shipment_lpn AS planned
                    INNER JOIN lpn USING (lpn)
                    WHERE planned.shipment = s.shipment AND lpn.location = 'vehicle/' || s.vehicle
                ) THEN 'loading'
            ELSE 'planned'
        END AS status
    FROM shipment AS s
    INNER JOIN vehicle AS v USING (vehicle)
    LEFT JOIN vehicle_state AS state ON s.vehicle = state.vehicle AND s.shipment = state.shipment
    LEFT JOIN fence AS here ON state.at_fence = here.fence
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS stops,
            count(a.arrived_at) AS arrived
        FROM shipment_stop AS t
        LEFT JOIN stop_arrival AS a USING (shipment, seq)
        WHERE t.shipment = s.shipment
    ) AS done
    WHERE
        (%(shipment)s::text IS NULL OR s.shipment = %(shipment)s)
        AND (%(vehicle)s::text IS NULL OR s.vehicle = %(vehicle)s)
        AND (%(site)s::text IS NULL OR s.from_site = %(site)s)
        AND (%(since)s::timestamptz IS NULL OR s.depart_at >= %(since)s)
        AND (%(until)s::timestamptz IS NULL OR s.depart_at < %(until)s)
        AND (
            %(lpn)s::text IS NULL
            OR EXISTS (SELECT 1 FROM shipment_lpn AS m WHERE m.shipment = s.shipment AND m.lpn = %(lpn)s)
        )
        AND (%(after)s::text [] IS NULL OR s.shipment > (%(after)s::text [])[1])
)

SELECT
    listed.*,
    ARRAY(SELECT m.lpn FROM shipment_lpn AS m WHERE m.shipment = listed.shipment ORDER BY m.lpn) AS lpns,
    ARRAY(
        SELECT o.sales_order
        FROM sales_order AS o
        WHERE o.shipment = listed.shipment
        ORDER BY o.priority, o.promised_at, o.sales_order
    ) AS orders
FROM listed
WHERE %(status)s::text IS NULL OR listed.status = %(status)s
ORDER BY listed.shipment
LIMIT %(limit)s;

-- stops --
SELECT
    t.shipment,
    t.seq,
    t.name,
    t.fence,
    t.customer,
    t.window_start,
    t.window_end,
    a.arrived_at,
    said.p50 AS eta,
    said.p10 AS eta_p10,
    said.p90 AS eta_p90,
    said.model AS eta_model,
    said.predicted_at,
    f.geometry
FROM shipment_stop AS t
INNER JOIN fence AS f USING (fence)
LEFT JOIN stop_arrival AS a USING (shipment, seq)
LEFT JOIN LATERAL (
    SELECT p.p10, p.p50, p.p90, p.model, p.predicted_at
    FROM eta_prediction AS p
    WHERE p.shipment = t.shipment AND p.seq = t.seq AND p.predicted_at > now() - interval '30 days'
    ORDER BY p.predicted_at DESC
    LIMIT 1
) AS said ON a.arrived_at IS NULL
WHERE t.shipment = any(%(shipments)s::text [])
ORDER BY t.shipment, t.seq;

-- alerts --
SELECT
    alert_id,
    opened_at
FROM alert
WHERE
    (%(alert_id)s::text IS NULL OR alert_id = %(alert_id)s)
    AND (%(open)s::boolean IS NULL OR (cleared_at IS NULL) = %(open)s)
    AND (%(type)s::text IS NULL OR type = %(type)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(site)s::text IS NULL OR site = %(site)s)
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(since)s::timestamptz IS NULL OR opened_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR opened_at < %(until)s)
    AND (
        %(after)s::text [] IS NULL
        OR (opened_at, alert_id) < (((%(after)s::text [])[1])::timestamptz, (%(after)s::text [])[2])
    )
ORDER BY opened_at DESC, alert_id DESC
LIMIT %(limit)s;

-- devices --
SELECT
    d.device,
    d.kind,
    d.biz_step,
    d.read_point,
    a.vehicle,
    a.trailer,
    seen.site AS gateway_site,
    seen.gateway,
    seen.last_seen
FROM device AS d
LEFT JOIN assignment AS a ON d.device = a.device AND a.during @> now()
LEFT JOIN LATERAL (
    SELECT
        g.site,
        g.gateway,
        CASE
            WHEN (g.report -> 'devices' ->> d.device)::double precision >= 0
                THEN g.reported_at - make_interval(secs => (g.report -> 'devices' ->> d.device)::double precision)
        END AS last_seen
    FROM gateway_status AS g
    WHERE g.report -> 'devices' ? d.device
    ORDER BY last_seen DESC NULLS LAST, g.site, g.gateway
    LIMIT 1
) AS seen ON true
WHERE
    (%(device)s::text IS NULL OR d.device = %(device)s)
    AND (%(kind)s::text IS NULL OR d.kind = %(kind)s)
    AND (%(vehicle)s::text IS NULL OR a.vehicle = %(vehicle)s)
    AND (%(site)s::text IS NULL OR split_part(d.read_point, '/', 1) = %(site)s OR seen.site = %(site)s)
    AND (%(after)s::text [] IS NULL OR d.device > (%(after)s::text [])[1])
ORDER BY d.device
LIMIT %(limit)s;

-- gateways --
SELECT
    site,
    gateway,
    s.reported_at,
    s.received_at,
    CASE
        WHEN s.state IS NULL THEN 'unknown'
        WHEN s.state = 'online' AND s.received_at < now() - make_interval(secs => %(lease_s)s) THEN 'silent'
        ELSE s.state
    END AS state,
    coalesce((s.report ->> 'queue_depth')::bigint, 0) AS queue_depth,
    coalesce((s.report ->> 'oldest_unsent_s')::double precision, 0) AS oldest_unsent_s,
    coalesce(s.report -> 'rejects', '{}') AS rejects
FROM gateway
FULL JOIN gateway_status AS s USING (site, gateway)
WHERE
    (%(site)s::text IS NULL OR site = %(site)s)
    AND (
        %(after)s::text [] IS NULL OR (site, gateway) > ((%(after)s::text [])[1], (%(after)s::text [])[2])
    )
ORDER BY site, gateway
LIMIT %(limit)s;

-- dead_letters --
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    length(payload) AS payload_bytes,
    substring(payload FROM 1 FOR 2000) AS payload_head
FROM dead_letter
WHERE
    (%(stage)s::text IS NULL OR stage = %(stage)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR received_at < %(until)s)
    AND (
        %(after)s::text [] IS NULL
        OR (received_at, dead_letter_id) < (((%(after)s::text [])[1])::timestamptz, ((%(after)s::text [])[2])::bigint)
    )
ORDER BY received_at DESC, dead_letter_id DESC
LIMIT %(limit)s;

-- shipment_sites --
SELECT
    shipment,
    from_site
FROM shipment
WHERE shipment = any(%(shipments)s::text []);
