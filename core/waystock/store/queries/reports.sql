-- Reports of the fleet (docs/reports.md), read through a server-side cursor vehicle by vehicle, so that none is held in
-- memory. A row belongs to the day, by the clock of %(time_zone)s, on which it began; %(since)s and %(until)s lie a day
-- beyond the days on either side and only say which rows are looked at. What is still open counts until the vehicle's
-- last fix. Filters that are NULL don't narrow.

-- trips --
SELECT
    v.vehicle,
    v.plate,
    v.carrier,
    c.name AS carrier_name,
    run.site,
    local.day,
    t.started_at,
    t.ended_at,
    t.ended_at IS NULL AS is_open,
    extract(EPOCH FROM t.counted_until - t.started_at)::float8 / 60 AS driven_min,
    t.distance_m / 1000 AS distance_km,
    3.6 * t.distance_m / nullif(extract(EPOCH FROM t.counted_until - t.started_at), 0)::float8 AS mean_speed_kmh,
    origin.fence AS from_fence,
    origin.name AS from_fence_name,
    destination.fence AS to_fence,
    destination.name AS to_fence_name,
    run.shipment,
    t.start_lat,
    t.start_lon,
    t.end_lat,
    t.end_lon,
    t.counted_until
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN party AS c ON v.carrier = c.party
CROSS JOIN LATERAL (
    SELECT
        u.started_at,
        u.ended_at,
        greatest(coalesce(u.ended_at, s.fix_time, u.started_at), u.started_at) AS counted_until,
        coalesce(u.distance_m, CASE WHEN s.trip_started_at = u.started_at THEN s.trip_m END) AS distance_m,
        u.start_lat,
        u.start_lon,
        CASE WHEN u.ended_at IS NULL THEN s.lat ELSE u.end_lat END AS end_lat,
        CASE WHEN u.ended_at IS NULL THEN s.lon ELSE u.end_lon END AS end_lon
    FROM trip AS u
    WHERE
        u.vehicle = v.vehicle
        AND u.started_at >= %(since)s
        AND u.started_at < %(until)s
        AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1]
            OR u.started_at > ((%(after)s::text [])[2])::timestamptz)
) AS t
CROSS JOIN LATERAL (SELECT (t.started_at AT TIME ZONE %(time_zone)s)::date AS day) AS local
LEFT JOIN LATERAL vehicle_run_at(v.vehicle, t.started_at, %(expire_s)s::float8) AS run ON true
LEFT JOIN LATERAL vehicle_place_at(v.vehicle, t.started_at) AS origin ON true
LEFT JOIN LATERAL vehicle_place_at(v.vehicle, t.ended_at) AS destination ON true
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(carrier)s::text IS NULL OR v.carrier = %(carrier)s)
    AND (%(site)s::text IS NULL OR run.site = %(site)s)
    AND (
        %(customer)s::text IS NULL
        OR EXISTS (
            SELECT 1 FROM shipment_stop AS o WHERE o.shipment = run.shipment AND o.customer = %(customer)s
        )
    )
    AND local.day BETWEEN %(first_day)s AND %(last_day)s
    AND (%(after)s::text [] IS NULL OR v.vehicle >= (%(after)s::text [])[1])
ORDER BY v.vehicle, t.started_at;

-- stops --
-- At a customer's, the shipment is the one that brought the vehicle there.
SELECT
    v.vehicle,
    v.plate,
    v.carrier,
    c.name AS carrier_name,
    coalesce(place.site, run.site) AS site,
    local.day,
    t.arrived_at,
    t.departed_at,
    t.departed_at IS NULL AS is_open,
    extract(EPOCH FROM t.counted_until - t.arrived_at)::float8 / 60 AS stood_min,
    place.fence,
    place.name AS fence_name,
    place.kind AS fence_kind,
    planned.customer,
    cust.name AS customer_name,
    run.shipment,
    t.lat,
    t.lon
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN party AS c ON v.carrier = c.party
CROSS JOIN LATERAL (
    SELECT
        u.arrived_at,
        u.departed_at,
        greatest(coalesce(u.departed_at, s.fix_time, u.arrived_at), u.arrived_at) AS counted_until,
        u.lat,
        u.lon
    FROM vehicle_stop AS u
    WHERE
        u.vehicle = v.vehicle
        AND u.arrived_at >= %(since)s
        AND u.arrived_at < %(until)s
        AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1]
            OR u.arrived_at > ((%(after)s::text [])[2])::timestamptz)
) AS t
CROSS JOIN LATERAL (SELECT (t.arrived_at AT TIME ZONE %(time_zone)s)::date AS day) AS local
LEFT JOIN LATERAL vehicle_place_at(
    v.vehicle, t.arrived_at + (t.counted_until - t.arrived_at) / 2
) AS place ON true
LEFT JOIN LATERAL vehicle_run_at(
    v.vehicle,
    CASE
        WHEN place.kind = 'customer' THEN least(place.entered_at, t.arrived_at) - interval '1 second'
        ELSE t.arrived_at
    END,
    %(expire_s)s::float8
) AS run ON true
LEFT JOIN LATERAL (
    SELECT o.customer
    FROM shipment_stop AS o
    WHERE o.shipment = run.shipment AND o.fence = place.fence
    ORDER BY o.seq
    LIMIT 1
) AS planned ON true
LEFT JOIN party AS cust ON planned.customer = cust.party
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(carrier)s::text IS NULL OR v.carrier = %(carrier)s)
    AND (%(site)s::text IS NULL OR coalesce(place.site, run.site) = %(site)s)
    AND (%(customer)s::text IS NULL OR planned.customer = %(customer)s)
    AND local.day BETWEEN %(first_day)s AND %(last_day)s
    AND (%(after)s::text [] IS NULL OR v.vehicle >= (%(after)s::text [])[1])
ORDER BY v.vehicle, t.arrived_at;

-- visits --
-- The detention clock runs at customers' fences, and at those of sites that have a limit or a rate of their own. What a
-- rate says goes before what the fence says; of the rates that hold, the customer's before the carrier's before the
-- site's before the one for all.
SELECT
    v.vehicle,
    v.plate,
    v.carrier,
    c.name AS carrier_name,
    coalesce(f.site, run.site) AS site,
    local.day,
    t.entered_at,
    t.exited_at,
    t.exited_at IS NULL AS is_open,
    t.fence,
    f.name AS fence_name,
    f.kind AS fence_kind,
    planned.customer,
    cust.name AS customer_name,
    run.shipment,
    t.dwell_s / 60 AS dwell_min,
    free.free_s / 60 AS free_min,
    kept.over_s / 60 AS detention_min,
    kept.over_s / 3600 AS detention_h,
    CASE WHEN free.free_s IS NOT NULL THEN rate.rate_per_h::float8 END AS rate_per_h,
    CASE WHEN free.free_s IS NOT NULL THEN rate.currency END AS currency,
    round(kept.over_s::numeric * rate.rate_per_h / 3600, 2)::float8 AS cost
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN party AS c ON v.carrier = c.party
CROSS JOIN LATERAL (
    SELECT
        u.fence,
        u.entered_at,
        u.exited_at,
        greatest(
            extract(EPOCH FROM coalesce(u.exited_at, s.fix_time, u.entered_at) - u.entered_at), 0
        )::float8 AS dwell_s
    FROM visit AS u
    WHERE
        u.vehicle = v.vehicle
        AND u.entered_at >= %(since)s
        AND u.entered_at < %(until)s
        AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1]
            OR (u.entered_at, u.fence) > (((%(after)s::text [])[2])::timestamptz, (%(after)s::text [])[3]))
) AS t
CROSS JOIN LATERAL (SELECT (t.entered_at AT TIME ZONE %(time_zone)s)::date AS day) AS local
LEFT JOIN fence AS f ON t.fence = f.fence
LEFT JOIN LATERAL vehicle_run_at(
    v.vehicle,
    CASE WHEN f.kind = 'site' THEN t.entered_at ELSE t.entered_at - interval '1 second' END,
    %(expire_s)s::float8
) AS run ON true
LEFT JOIN LATERAL (
    SELECT o.customer
    FROM shipment_stop AS o
    WHERE o.shipment = run.shipment AND o.fence = t.fence
    ORDER BY o.seq
    LIMIT 1
) AS planned ON true
LEFT JOIN party AS cust ON planned.customer = cust.party
LEFT JOIN LATERAL (
    SELECT
        r.site,
        r.free_s,
        r.rate_per_h,
        r.currency
    FROM detention_rate AS r
    WHERE
        (r.customer IS NULL OR r.customer = planned.customer)
        AND (r.carrier IS NULL OR r.carrier = v.carrier)
        AND (r.site IS NULL OR (f.kind = 'site' AND r.site = f.site))
    ORDER BY r.customer NULLS LAST, r.carrier NULLS LAST, r.site NULLS LAST
    LIMIT 1
) AS rate ON true
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN f.kind = 'customer' THEN coalesce(rate.free_s, f.dwell_limit_s, %(free_s)s::float8)
            WHEN f.kind = 'site' AND (f.dwell_limit_s IS NOT NULL OR rate.site IS NOT NULL)
                THEN coalesce(rate.free_s, f.dwell_limit_s, %(free_s)s::float8)
        END AS free_s
) AS free
CROSS JOIN LATERAL (
    SELECT CASE WHEN free.free_s IS NOT NULL THEN greatest(t.dwell_s - free.free_s, 0) END AS over_s
) AS kept
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(carrier)s::text IS NULL OR v.carrier = %(carrier)s)
    AND (%(site)s::text IS NULL OR coalesce(f.site, run.site) = %(site)s)
    AND (%(customer)s::text IS NULL OR planned.customer = %(customer)s)
    AND (NOT %(only_detained)s::boolean OR t.dwell_s > free.free_s)
    AND local.day BETWEEN %(first_day)s AND %(last_day)s
    AND (%(after)s::text [] IS NULL OR v.vehicle >= (%(after)s::text [])[1])
ORDER BY v.vehicle, t.entered_at, t.fence;

-- punctuality --
-- Stops whose window ended on these days and before %(now)s. Late: it came later than the grace allows, or it was known
-- where the vehicle was when the grace was over (driving or standing), and that was not there. Without either, unknown.
-- A shipment called off before the window ended is left out.
SELECT
    due.code,
    due.name AS code_name,
    count(*) AS planned,
    count(*) FILTER (WHERE due.outcome = 'on_time') AS on_time,
    count(*) FILTER (WHERE due.outcome = 'late') AS late,
    count(*) FILTER (WHERE due.outcome = 'unknown') AS unknown,
    count(*) FILTER (WHERE due.outcome = 'on_time')
    / nullif(count(*) FILTER (WHERE due.outcome <> 'unknown'), 0)::float8 AS on_time_share,
    avg(due.late_s)::float8 / 60 AS mean_late_min,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY due.late_s) / 60 AS p90_late_min
FROM (
    SELECT
        CASE %(by)s
            WHEN 'lane' THEN sh.from_site || ' → ' || o.fence
            WHEN 'carrier' THEN v.carrier
            WHEN 'customer' THEN o.customer
            ELSE sh.vehicle
        END AS code,
        CASE %(by)s
            WHEN 'lane' THEN jsonb_build_object(
                'en', coalesce(site.name ->> 'en', sh.from_site) || ' → ' || coalesce(f.name ->> 'en', o.fence),
                'zh', coalesce(site.name ->> 'zh', sh.from_site) || ' → ' || coalesce(f.name ->> 'zh', o.fence)
            )
            WHEN 'carrier' THEN c.name
            WHEN 'customer' THEN cust.name
            ELSE jsonb_build_object('en', v.plate, 'zh', v.plate)
        END AS name,
        CASE
            WHEN a.arrived_at IS NOT NULL THEN greatest(extract(EPOCH FROM a.arrived_at - o.window_end), 0)
        END::float8 AS late_s,
        CASE
            WHEN a.arrived_at <= grace.over_at THEN 'on_time'
            WHEN a.arrived_at IS NOT NULL THEN 'late'
            WHEN grace.over_at > %(now)s THEN 'unknown'
            WHEN
                (
                    SELECT coalesce(t.ended_at, s.fix_time) >= grace.over_at
                    FROM trip AS t
                    WHERE t.vehicle = sh.vehicle AND t.started_at <= grace.over_at
                    ORDER BY t.started_at DESC
                    LIMIT 1
                )
                OR (
                    SELECT coalesce(t.departed_at, s.fix_time) >= grace.over_at
                    FROM vehicle_stop AS t
                    WHERE t.vehicle = sh.vehicle AND t.arrived_at <= grace.over_at
                    ORDER BY t.arrived_at DESC
                    LIMIT 1
                )
                THEN 'late'
            ELSE 'unknown'
        END AS outcome
    FROM shipment_stop AS o
    INNER JOIN shipment AS sh USING (shipment)
    INNER JOIN vehicle AS v ON sh.vehicle = v.vehicle
    LEFT JOIN vehicle_state AS s ON sh.vehicle = s.vehicle
    LEFT JOIN site ON sh.from_site = site.site
    LEFT JOIN fence AS f ON o.fence = f.fence
    LEFT JOIN party AS c ON v.carrier = c.party
    LEFT JOIN party AS cust ON o.customer = cust.party
    LEFT JOIN stop_arrival AS a ON o.shipment = a.shipment AND o.seq = a.seq
    CROSS JOIN LATERAL (
        SELECT o.window_end + make_interval(secs => %(grace_s)s::float8) AS over_at
    ) AS grace
    WHERE
        o.window_end >= %(since)s
        AND o.window_end < %(until)s
        AND o.window_end <= %(now)s
        AND (o.window_end AT TIME ZONE %(time_zone)s)::date BETWEEN %(first_day)s AND %(last_day)s
        AND (sh.closed_at IS NULL OR sh.closed_at >= o.window_end OR a.arrived_at IS NOT NULL)
        AND (%(vehicle)s::text IS NULL OR sh.vehicle = %(vehicle)s)
        AND (%(carrier)s::text IS NULL OR v.carrier = %(carrier)s)
        AND (%(site)s::text IS NULL OR sh.from_site = %(site)s)
        AND (%(customer)s::text IS NULL OR o.customer = %(customer)s)
) AS due
WHERE
    %(after)s::text [] IS NULL
    OR coalesce(due.code, '') > (%(after)s::text [])[1]
GROUP BY due.code, due.name
ORDER BY coalesce(due.code, '');

-- tracks --
-- The fixes of some trips, of the unit that saw most of each.
SELECT
    asked.number::integer AS number,
    f.time,
    f.lat,
    f.lon,
    f.altitude_m
FROM unnest(%(vehicles)s::text [], %(starts)s::timestamptz [], %(ends)s::timestamptz [])
    WITH ORDINALITY AS asked (vehicle, started_at, ended_at, number)
CROSS JOIN LATERAL (
    SELECT x.device
    FROM fix AS x
    WHERE
        x.device IN (SELECT d.device FROM device AS d WHERE d.vehicle = asked.vehicle)
        AND x.time >= %(since)s
        AND x.time <= %(until)s
        AND x.time >= asked.started_at
        AND x.time <= asked.ended_at
    GROUP BY x.device
    ORDER BY count(*) DESC, x.device
    LIMIT 1
) AS unit
INNER JOIN fix AS f
    ON
        unit.device = f.device
        AND f.time >= %(since)s
        AND f.time <= %(until)s
        AND f.time >= asked.started_at
        AND f.time <= asked.ended_at
WHERE NOT f.quality && '{teleport,future_time,date_roll_over,low_accuracy}'
ORDER BY asked.number, f.time, f.stream_id, f.stream_offset;

-- time_zones --
SELECT site, time_zone FROM site
WHERE %(site)s::text IS NULL OR site = %(site)s
ORDER BY site;

-- unknown_filters --
SELECT
    %(vehicle)s::text IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vehicle AS v WHERE v.vehicle = %(vehicle)s) AS vehicle,
    %(carrier)s::text IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM party AS p WHERE p.party = %(carrier)s AND p.role = 'carrier') AS carrier,
    %(customer)s::text IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM party AS p WHERE p.party = %(customer)s AND p.role = 'customer') AS customer;

-- use_time_zone --
SELECT now() AT TIME ZONE %(time_zone)s::text;

-- span_trips --
SELECT min(t.started_at) AS first, max(t.started_at) AS last FROM trip AS t;

-- span_stops --
SELECT min(t.arrived_at) AS first, max(t.arrived_at) AS last FROM vehicle_stop AS t;

-- span_visits --
SELECT min(t.entered_at) AS first, max(t.entered_at) AS last FROM visit AS t;

-- span_punctuality --
SELECT min(o.window_end) AS first, max(o.window_end) AS last FROM shipment_stop AS o
WHERE o.window_end <= %(now)s;

-- vehicles --
SELECT vehicle, plate FROM vehicle ORDER BY vehicle;

-- parties --
SELECT party, name FROM party WHERE role = %(role)s ORDER BY party;
