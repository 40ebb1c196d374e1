-- What a fleet is asked (docs/questions.md). Answers are made vehicle by vehicle in the order of the pages, so that a
-- page ends as soon as it is full. Trips and stands of one vehicle don't overlap: those that touch a period are those
-- that begin in it and the last one before it. One that is still open counts until the vehicle's last fix.

-- last_fixes --
SELECT
    v.vehicle,
    v.plate,
    s.fix_time,
    CASE
        WHEN s.fix_time IS NOT NULL THEN greatest(extract(EPOCH FROM %(at)s - s.fix_time), 0)
    END::float8 AS age_s,
    s.lat,
    s.lon,
    s.speed_mps,
    s.course_deg_true,
    coalesce(s.motion, 'unknown') AS motion,
    s.at_fence,
    s.shipment
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
LEFT JOIN shipment AS sh USING (shipment)
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(site)s::text IS NULL OR sh.from_site = %(site)s)
    AND (
        %(silent_s_min)s::float8 IS NULL
        OR s.fix_time IS NULL
        OR s.fix_time <= %(at)s - make_interval(secs => %(silent_s_min)s::float8)
    )
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;

-- stationary --
SELECT
    v.vehicle,
    v.plate,
    coalesce(stood.stood_s, 0)::float8 AS stood_s,
    stood.stands,
    stood.longest_s,
    stood.longest_from,
    stood.longest_until,
    stood.lat,
    stood.lon,
    place.fence,
    drove.mean_speed_mps
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT
        sum(stand.stood_s) AS stood_s,
        count(*) AS stands,
        max(stand.stood_s) AS longest_s,
        (array_agg(stand.from_at ORDER BY stand.stood_s DESC, stand.from_at))[1] AS longest_from,
        (array_agg(stand.to_at ORDER BY stand.stood_s DESC, stand.from_at))[1] AS longest_until,
        (array_agg(stand.lat ORDER BY stand.stood_s DESC, stand.from_at))[1] AS lat,
        (array_agg(stand.lon ORDER BY stand.stood_s DESC, stand.from_at))[1] AS lon
    FROM (
        SELECT
            clipped.*,
            extract(EPOCH FROM clipped.to_at - clipped.from_at)::float8 AS stood_s
        FROM (
            SELECT
                greatest(b.arrived_at, %(since)s) AS from_at,
                least(coalesce(b.departed_at, s.fix_time, b.arrived_at), %(until)s) AS to_at,
                b.lat,
                b.lon
            FROM vehicle_stop AS b
            WHERE
                b.vehicle = v.vehicle
                AND b.arrived_at < %(until)s
                AND b.arrived_at >= coalesce(
                    (
                        SELECT max(o.arrived_at) FROM vehicle_stop AS o
                        WHERE o.vehicle = v.vehicle AND o.arrived_at < %(since)s
                    ),
                    %(since)s
                )
        ) AS clipped
        WHERE clipped.to_at > clipped.from_at
    ) AS stand
) AS stood
LEFT JOIN LATERAL (
    SELECT w.fence
    FROM visit AS w
    WHERE
        w.vehicle = v.vehicle
        AND w.entered_at < stood.longest_until
        AND (w.exited_at IS NULL OR w.exited_at > stood.longest_from)
    ORDER BY w.entered_at DESC, w.fence
    LIMIT 1
) AS place ON true
CROSS JOIN LATERAL (
    -- Read only where it is asked for: this is the one part that goes to the raw fixes.
    SELECT avg(f.speed_mps) AS mean_speed_mps
    FROM assignment AS a
    INNER JOIN fix AS f ON a.device = f.device AND a.during @> f.time
    WHERE
        %(speed_mps_below)s::float8 IS NOT NULL
        AND a.vehicle = v.vehicle
        AND f.time >= %(since)s
        AND f.time < %(until)s
) AS drove
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND coalesce(stood.stood_s, 0) >= %(stood_s_min)s::float8
    AND (%(speed_mps_below)s::float8 IS NULL OR drove.mean_speed_mps < %(speed_mps_below)s::float8)
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;

-- long_driving --
-- Trips with less than a rest between them are one session. It is counted from its beginning, which is looked for back
-- to %(looked_back_to)s.
SELECT
    v.vehicle,
    v.plate,
    e.started_at,
    e.ended_at,
    e.driven_s,
    extract(EPOCH FROM e.ended_at - e.started_at)::float8 - e.driven_s AS paused_s,
    e.trips,
    extract(EPOCH FROM %(until)s - e.ended_at) >= %(rest_s)s::float8 AS is_over
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT
        min(leg.started_at) AS started_at,
        max(leg.ended_at) AS ended_at,
        sum(extract(EPOCH FROM leg.ended_at - leg.started_at))::float8 AS driven_s,
        count(*) AS trips
    FROM (
        SELECT
            driven.*,
            count(*) FILTER (WHERE driven.rested_s >= %(rest_s)s::float8) OVER (ORDER BY driven.started_at)
                AS session
        FROM (
            SELECT
                clipped.*,
                extract(
                    EPOCH FROM clipped.started_at - lag(clipped.ended_at) OVER (ORDER BY clipped.started_at)
                ) AS rested_s
            FROM (
                SELECT
                    t.started_at,
                    least(coalesce(t.ended_at, s.fix_time, t.started_at), %(until)s) AS ended_at
                FROM trip AS t
                WHERE
                    t.vehicle = v.vehicle
                    AND t.started_at >= %(looked_back_to)s
                    AND t.started_at < %(until)s
            ) AS clipped
            WHERE clipped.ended_at > clipped.started_at
        ) AS driven
    ) AS leg
    GROUP BY leg.session
) AS e
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND e.ended_at > %(since)s
    AND e.driven_s >= %(driven_s_min)s::float8
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, e.started_at) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::timestamptz)
        )
    )
ORDER BY v.vehicle, e.started_at
LIMIT %(limit)s;

-- driving_hours --
-- The window with the most driving ends with a trip, begins with one, or is the first of all (from %(looked_back_to)s), so
-- only those are looked at: whole trips in the frame, less the part of the one that sticks out of it.
SELECT
    v.vehicle,
    v.plate,
    most.window_start,
    most.window_start + make_interval(secs => %(window_s)s::float8) AS window_end,
    most.driven_s
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    WITH leg AS (
        SELECT
            clipped.started_at,
            clipped.ended_at,
            clipped.ended_at - clipped.started_at AS drove
        FROM (
            SELECT
                t.started_at,
                least(coalesce(t.ended_at, s.fix_time, t.started_at), %(until)s) AS ended_at
            FROM trip AS t
            WHERE
                t.vehicle = v.vehicle
                AND t.started_at < %(until)s
                AND t.started_at >= coalesce(
                    (
                        SELECT max(o.started_at) FROM trip AS o
                        WHERE o.vehicle = v.vehicle AND o.started_at < %(looked_back_to)s
                    ),
                    %(looked_back_to)s
                )
        ) AS clipped
        WHERE clipped.ended_at > clipped.started_at
    ),

    tried AS (
        SELECT
            leg.ended_at - make_interval(secs => %(window_s)s::float8) AS window_start,
            sum(leg.drove) OVER to_its_end - greatest(
                leg.ended_at - make_interval(secs => %(window_s)s::float8)
                - first_value(leg.started_at) OVER to_its_end,
                interval '0'
            ) AS drove
        FROM leg
        WINDOW to_its_end AS (
            ORDER BY leg.ended_at
            RANGE BETWEEN make_interval(secs => %(window_s)s::float8) PRECEDING AND CURRENT ROW
        )
        UNION ALL
        SELECT
            leg.started_at AS window_start,
            sum(leg.drove) OVER from_its_start - greatest(
                last_value(leg.ended_at) OVER from_its_start
                - leg.started_at - make_interval(secs => %(window_s)s::float8),
                interval '0'
            ) AS drove
        FROM leg
        WINDOW from_its_start AS (
            ORDER BY leg.started_at
            RANGE BETWEEN CURRENT ROW AND make_interval(secs => %(window_s)s::float8) FOLLOWING
        )
        UNION ALL
        SELECT
            %(looked_back_to)s AS window_start,
            sum(
                greatest(
                    least(leg.ended_at, %(since)s) - greatest(leg.started_at, %(looked_back_to)s), interval '0'
                )
            ) AS drove
        FROM leg
    )

    SELECT
        tried.window_start,
        extract(EPOCH FROM tried.drove)::float8 AS driven_s
    FROM tried
    WHERE
        tried.window_start >= %(looked_back_to)s
        AND tried.window_start <= %(until)s - make_interval(secs => %(window_s)s::float8)
    ORDER BY tried.drove DESC, tried.window_start
    LIMIT 1
) AS most
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND most.driven_s >= %(driven_s_min)s::float8
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;
