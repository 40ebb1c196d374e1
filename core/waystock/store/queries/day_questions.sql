-- What vehicles did hour by hour and day by day (docs/questions.md). Trips and stands of one vehicle don't overlap: those
-- that touch a span are those that begin in it and the last one before it. One that is still open counts until the
-- vehicle's last fix. The zone whose midnight counts: the one asked for, else that of the site which the vehicle's last
-- shipment left from, else UTC.

-- activity --
-- Hours are counted on the time line, days by the clock on the wall: a day may have 23 or 25 of them.
SELECT
    v.vehicle,
    zone.time_zone,
    b.starts_at,
    b.ends_at,
    moved.moved_s,
    stood.stood_s,
    moved.moved_s / extract(EPOCH FROM b.ends_at - b.starts_at)::float8 AS moved_share
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT
        coalesce(
            %(time_zone)s::text,
            (
                SELECT site.time_zone
                FROM shipment AS sh
                INNER JOIN site ON sh.from_site = site.site
                WHERE sh.vehicle = v.vehicle AND sh.depart_at < %(until)s
                ORDER BY sh.depart_at DESC, sh.shipment
                LIMIT 1
            ),
            'UTC'
        ) AS time_zone
) AS zone
CROSS JOIN LATERAL (
    SELECT
        greatest(whole.starts_at, %(since)s) AS starts_at,
        least(whole.ends_at, %(until)s) AS ends_at
    FROM (
        SELECT
            h AS starts_at,
            h + interval '1 hour' AS ends_at
        FROM generate_series(
            date_trunc('hour', %(since)s, zone.time_zone), %(until)s, interval '1 hour'
        ) AS h
        WHERE %(bucket)s = 'hour'
        UNION ALL
        SELECT
            d AT TIME ZONE zone.time_zone,
            (d + interval '1 day') AT TIME ZONE zone.time_zone
        FROM generate_series(
            date_trunc('day', %(since)s AT TIME ZONE zone.time_zone),
            %(until)s AT TIME ZONE zone.time_zone,
            interval '1 day'
        ) AS d
        WHERE %(bucket)s = 'day'
    ) AS whole
) AS b
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(EPOCH FROM c.to_at - c.from_at)), 0)::float8 AS moved_s
    FROM (
        SELECT
            greatest(t.started_at, b.starts_at) AS from_at,
            least(coalesce(t.ended_at, s.fix_time, t.started_at), b.ends_at) AS to_at
        FROM trip AS t
        WHERE
            t.vehicle = v.vehicle
            AND t.started_at < b.ends_at
            AND t.started_at >= coalesce(
                (
                    SELECT max(o.started_at) FROM trip AS o
                    WHERE o.vehicle = v.vehicle AND o.started_at < b.starts_at
                ),
                b.starts_at
            )
    ) AS c
    WHERE c.to_at > c.from_at
) AS moved
CROSS JOIN LATERAL (
    SELECT coalesce(sum(extract(EPOCH FROM c.to_at - c.from_at)), 0)::float8 AS stood_s
    FROM (
        SELECT
            greatest(t.arrived_at, b.starts_at) AS from_at,
            least(coalesce(t.departed_at, s.fix_time, t.arrived_at), b.ends_at) AS to_at
        FROM vehicle_stop AS t
        WHERE
            t.vehicle = v.vehicle
            AND t.arrived_at < b.ends_at
            AND t.arrived_at >= coalesce(
                (
                    SELECT max(o.arrived_at) FROM vehicle_stop AS o
                    WHERE o.vehicle = v.vehicle AND o.arrived_at < b.starts_at
                ),
                b.starts_at
            )
    ) AS c
    WHERE c.to_at > c.from_at
) AS stood
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND b.ends_at > b.starts_at
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, b.starts_at) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::timestamptz)
        )
    )
ORDER BY v.vehicle, b.starts_at
LIMIT %(limit)s;

-- distances --
-- By the odometer where a unit on board has one and it tells how far the day went; else by fixes: a trip within one day counts with its own distance, one under way with what its vehicle's state says. One over midnight
-- (or one whose distance nobody knows) is shared out by the way between its fixes, measured as waystock.fleet.geodesy
-- does; a step belongs to the day of its later fix.
SELECT
    v.vehicle,
    zone.time_zone,
    day.day,
    coalesce(odometer.distance_m, way.distance_m, 0)::float8 AS distance_m,
    CASE WHEN odometer.distance_m IS NULL THEN 'fixes' ELSE 'odometer' END AS measured_by,
    coalesce(way.driven_s, 0)::float8 AS driven_s,
    way.trips,
    way.trips_started,
    v.plate,
    v.carrier,
    zone.site
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT
        last_run.site,
        coalesce(%(time_zone)s::text, last_run.time_zone, 'UTC') AS time_zone
    FROM (SELECT) AS always
    LEFT JOIN LATERAL (
        SELECT
            site.site,
            site.time_zone
        FROM shipment AS sh
        INNER JOIN site ON sh.from_site = site.site
        WHERE sh.vehicle = v.vehicle AND sh.depart_at < %(until)s
        ORDER BY sh.depart_at DESC, sh.shipment
        LIMIT 1
    ) AS last_run ON true
) AS zone
LEFT JOIN LATERAL (
    SELECT d.device
    FROM device AS d
    WHERE
        d.vehicle = v.vehicle
        AND EXISTS (
            SELECT 1 FROM telemetry_reading AS r
            WHERE
                r.device = d.device
                AND r.time >= %(looked_back_to)s
                AND r.time < %(looked_on_to)s
                AND r.measured ? 'odometer_m'
        )
    ORDER BY d.device
    LIMIT 1
) AS unit ON true
CROSS JOIN LATERAL (
    SELECT
        g::date AS day,
        g AT TIME ZONE zone.time_zone AS starts_at,
        (g + interval '1 day') AT TIME ZONE zone.time_zone AS ends_at
    FROM generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') AS g
) AS day
CROSS JOIN LATERAL (
    SELECT
        count(*) AS trips,
        count(*) FILTER (WHERE part.started_at >= day.starts_at) AS trips_started,
        sum(extract(EPOCH FROM part.to_at - part.from_at)) AS driven_s,
        sum(
            CASE
                WHEN part.is_whole THEN part.distance_m
                WHEN part.distance_m IS NULL THEN path.part_m
                WHEN path.trip_m > 0 THEN part.distance_m * path.part_m / path.trip_m
                ELSE part.distance_m * extract(EPOCH FROM part.to_at - part.from_at)
                    / nullif(extract(EPOCH FROM part.ended_at - part.started_at), 0)
            END
        ) AS distance_m
    FROM (
        SELECT
            t.started_at,
            t.ended_at,
            t.distance_m,
            greatest(t.started_at, day.starts_at) AS from_at,
            least(t.ended_at, day.ends_at) AS to_at,
            t.distance_m IS NOT NULL AND t.started_at >= day.starts_at AND t.ended_at <= day.ends_at
                AS is_whole
        FROM (
            SELECT
                u.started_at,
                coalesce(u.ended_at, s.fix_time, u.started_at) AS ended_at,
                coalesce(u.distance_m, CASE WHEN s.trip_started_at = u.started_at THEN s.trip_m END) AS distance_m
            FROM trip AS u
            WHERE
                u.vehicle = v.vehicle
                AND u.started_at < day.ends_at
                AND u.started_at >= coalesce(
                    (
                        SELECT max(o.started_at) FROM trip AS o
                        WHERE o.vehicle = v.vehicle AND o.started_at < day.starts_at
                    ),
                    day.starts_at
                )
        ) AS t
        WHERE t.ended_at > t.started_at AND t.ended_at > day.starts_at
    ) AS part
    LEFT JOIN LATERAL (
        -- With two units on one vehicle, the one that saw more of the way.
        SELECT
            coalesce(sum(step.step_m), 0) AS trip_m,
            coalesce(
                sum(step.step_m) FILTER (WHERE step.time > part.from_at AND step.time <= part.to_at), 0
            ) AS part_m
        FROM (
            SELECT
                f.device,
                f.time,
                sqrt(
                    (
                        radians((f.lon - p.lon) - 360 * round((f.lon - p.lon) / 360)) * q.cosine * 6378137
                        / sqrt(q.q)
                    ) ^ 2
                    + (radians(f.lat - p.lat) * 6378137 * (1 - 0.00669437999014) / (q.q * sqrt(q.q))) ^ 2
                ) AS step_m
            FROM (
                SELECT
                    x.device,
                    x.time,
                    x.lat,
                    x.lon,
                    lag(x.lat) OVER unit AS lat_before,
                    lag(x.lon) OVER unit AS lon_before
                FROM assignment AS a
                INNER JOIN fix AS x ON a.device = x.device AND a.during @> x.time
                WHERE
                    NOT part.is_whole
                    AND a.vehicle = v.vehicle
                    AND x.time >= %(looked_back_to)s
                    AND x.time < %(looked_on_to)s
                    AND x.time >= part.started_at
                    AND x.time <= part.ended_at
                    AND NOT x.quality && '{teleport,future_time,date_roll_over,low_accuracy}'
                WINDOW unit AS (PARTITION BY x.device ORDER BY x.time, x.stream_id, x.stream_offset)
            ) AS f
            CROSS JOIN LATERAL (SELECT f.lat_before AS lat, f.lon_before AS lon) AS p
            CROSS JOIN LATERAL (
                SELECT
                    cos(radians((f.lat + p.lat) / 2)) AS cosine,
                    1 - 0.00669437999014 * (1 - cos(radians((f.lat + p.lat) / 2)) ^ 2) AS q
            ) AS q
        ) AS step
        GROUP BY step.device
        ORDER BY trip_m DESC, step.device
        LIMIT 1
    ) AS path ON true
) AS way
LEFT JOIN LATERAL (
    -- What no vehicle drives in a day is no distance, but another odometer.
    SELECT m.distance_m
    FROM (
        SELECT
            odometer_at(unit.device, day.ends_at, s.fix_time)
            - odometer_at(unit.device, day.starts_at, s.fix_time) AS distance_m
    ) AS m
    WHERE m.distance_m BETWEEN 0 AND %(day_m_max)s::float8
) AS odometer ON unit.device IS NOT NULL
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(carrier)s::text IS NULL OR v.carrier = %(carrier)s)
    AND (%(site)s::text IS NULL OR zone.site = %(site)s)
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, day.day) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::date)
        )
    )
ORDER BY v.vehicle, day.day
LIMIT %(limit)s;
