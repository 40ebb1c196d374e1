-- Drivers, trailers and who and what is on which vehicle when. Lists as in api.sql: filters (null: don't care),
-- %(after)s (the key of the last row seen, as an array of text, or null) and %(limit)s.

-- lock --
-- Before anything is looked at: what triggers of the table would wait for anyway.
SELECT pg_advisory_xact_lock(7219403);

-- drivers --
SELECT
    d.driver,
    d.name,
    d.licence,
    d.phone,
    a.vehicle,
    lower(a.during) AS vehicle_since
FROM driver AS d
LEFT JOIN assignment AS a ON d.driver = a.driver AND a.during @> now()
WHERE
    (%(driver)s::text IS NULL OR d.driver = %(driver)s)
    AND (%(vehicle)s::text IS NULL OR a.vehicle = %(vehicle)s)
    AND (%(after)s::text [] IS NULL OR d.driver > (%(after)s::text [])[1])
ORDER BY d.driver
LIMIT %(limit)s;

-- trailers --
-- Where it is, by its own tracker; else where its vehicle is; else where the one that drew it last left it.
SELECT
    t.trailer,
    t.plate,
    t.kind,
    a.vehicle,
    lower(a.during) AS vehicle_since,
    tracker.device,
    coalesce(own.lat, s.lat, behind.lat) AS lat,
    coalesce(own.lon, s.lon, behind.lon) AS lon,
    coalesce(own.time, s.fix_time, behind.time) AS fix_time,
    CASE
        WHEN own.time IS NOT NULL THEN 'tracker'
        WHEN s.fix_time IS NOT NULL THEN 'vehicle'
        WHEN behind.time IS NOT NULL THEN 'left'
    END AS placed_by
FROM trailer AS t
LEFT JOIN assignment AS a ON t.trailer = a.trailer AND a.device IS NULL AND a.during @> now()
LEFT JOIN vehicle_state AS s ON a.vehicle = s.vehicle
LEFT JOIN LATERAL (
    SELECT b.device, b.during FROM assignment AS b
    WHERE b.trailer = t.trailer AND b.device IS NOT NULL AND b.during @> now()
    ORDER BY lower(b.during) DESC, b.device
    LIMIT 1
) AS tracker ON true
LEFT JOIN LATERAL (
    SELECT f.time, f.lat, f.lon FROM fix AS f
    WHERE f.device = tracker.device AND tracker.during @> f.time AND f.time > now() - interval '30 days'
    ORDER BY f.time DESC
    LIMIT 1
) AS own ON true
LEFT JOIN LATERAL (
    SELECT c.vehicle, upper(c.during) AS until FROM assignment AS c
    WHERE
        a.vehicle IS NULL
        AND c.trailer = t.trailer
        AND c.device IS NULL
        AND upper(c.during) <= now()
    ORDER BY upper(c.during) DESC
    LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT f.time, f.lat, f.lon
    FROM assignment AS b
    INNER JOIN fix AS f ON b.device = f.device AND b.during @> f.time
    WHERE
        b.vehicle = last.vehicle
        AND f.time <= last.until
        AND f.time > last.until - interval '1 day'
    ORDER BY f.time DESC
    LIMIT 1
) AS behind ON true
WHERE
    (%(trailer)s::text IS NULL OR t.trailer = %(trailer)s)
    AND (%(vehicle)s::text IS NULL OR a.vehicle = %(vehicle)s)
    AND (%(kind)s::text IS NULL OR t.kind = %(kind)s)
    AND (%(after)s::text [] IS NULL OR t.trailer > (%(after)s::text [])[1])
ORDER BY t.trailer
LIMIT %(limit)s;

-- assignments --
-- The newest beginning first; what has none, last.
SELECT
    a.assignment_id,
    a.device,
    a.driver,
    a.trailer,
    a.vehicle,
    lower(a.during) AS since,
    upper(a.during) AS until
FROM assignment AS a
WHERE
    (%(assignment_id)s::bigint IS NULL OR a.assignment_id = %(assignment_id)s)
    AND (%(device)s::text IS NULL OR a.device = %(device)s)
    AND (%(driver)s::text IS NULL OR a.driver = %(driver)s)
    AND (%(trailer)s::text IS NULL OR a.trailer = %(trailer)s)
    AND (%(vehicle)s::text IS NULL OR a.vehicle = %(vehicle)s)
    AND (
        %(of)s::text IS NULL
        OR %(of)s = CASE
            WHEN a.device IS NOT NULL THEN 'device'
            WHEN a.driver IS NOT NULL THEN 'driver'
            ELSE 'trailer'
        END
    )
    AND (%(at)s::timestamptz IS NULL OR a.during @> %(at)s)
    AND a.during && tstzrange(%(since)s, %(until)s)
    AND (
        %(after)s::text [] IS NULL
        OR (coalesce(lower(a.during), '-infinity'), a.assignment_id)
        < (((%(after)s::text [])[1])::timestamptz, ((%(after)s::text [])[2])::bigint)
    )
ORDER BY coalesce(lower(a.during), '-infinity') DESC, a.assignment_id DESC
LIMIT %(limit)s;

-- trips --
-- Whoever drove and whatever was drawn for a part of it, in order of time.
SELECT
    v.vehicle,
    v.plate,
    t.started_at,
    t.ended_at,
    t.start_lat,
    t.start_lon,
    t.end_lat,
    t.end_lon,
    CASE WHEN t.ended_at IS NULL THEN s.trip_m ELSE t.distance_m END AS distance_m,
    ARRAY(
        SELECT a.driver FROM assignment AS a
        WHERE a.vehicle = t.vehicle AND a.driver IS NOT NULL AND a.during && span.during
        GROUP BY a.driver ORDER BY min(coalesce(lower(a.during), '-infinity'))
    ) AS drivers,
    ARRAY(
        SELECT a.trailer FROM assignment AS a
        WHERE a.vehicle = t.vehicle AND a.trailer IS NOT NULL AND a.during && span.during
        GROUP BY a.trailer ORDER BY min(coalesce(lower(a.during), '-infinity'))
    ) AS trailers
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT o.* FROM trip AS o
    WHERE
        o.vehicle = v.vehicle
        AND o.started_at < %(until)s
        -- Trips of one vehicle don't overlap: the last one before the period may reach into it.
        AND o.started_at >= coalesce(
            (SELECT max(e.started_at) FROM trip AS e WHERE e.vehicle = v.vehicle AND e.started_at < %(since)s),
            %(since)s
        )
        AND (o.ended_at IS NULL OR o.ended_at > %(since)s)
) AS t
CROSS JOIN LATERAL (
    SELECT
        tstzrange(t.started_at, greatest(coalesce(t.ended_at, s.fix_time, t.started_at), t.started_at), '[]')
            AS during
) AS span
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (
        %(driver)s::text IS NULL
        OR EXISTS (
            SELECT 1 FROM assignment AS a
            WHERE a.vehicle = t.vehicle AND a.driver = %(driver)s AND a.during && span.during
        )
    )
    AND (
        %(trailer)s::text IS NULL
        OR EXISTS (
            SELECT 1 FROM assignment AS a
            WHERE
                a.vehicle = t.vehicle
                AND a.trailer = %(trailer)s
                AND a.device IS NULL
                AND a.during && span.during
        )
    )
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, t.started_at) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::timestamptz)
        )
    )
ORDER BY v.vehicle, t.started_at
LIMIT %(limit)s;

-- put_vehicle --
INSERT INTO vehicle (vehicle, plate) VALUES (%(vehicle)s, %(plate)s)
ON CONFLICT (vehicle) DO UPDATE SET plate = excluded.plate;

-- put_driver --
INSERT INTO driver (driver, name, licence, phone)
VALUES (%(driver)s, %(name)s, %(licence)s, %(phone)s)
ON CONFLICT (driver) DO UPDATE SET
name = excluded.name, licence = excluded.licence, phone = excluded.phone;

-- put_trailer --
INSERT INTO trailer (trailer, plate, kind) VALUES (%(trailer)s, %(plate)s, %(kind)s)
ON CONFLICT (trailer) DO UPDATE SET plate = excluded.plate, kind = excluded.kind;

-- remove_driver --
DELETE FROM driver WHERE driver = %(code)s RETURNING driver;

-- remove_trailer --
DELETE FROM trailer WHERE trailer = %(code)s RETURNING trailer;

-- overlapping --
-- What stands in the way of one more assignment; %(but)s is the one that it takes the place of.
SELECT
    a.assignment_id,
    a.device,
    a.driver,
    a.trailer,
    a.vehicle,
    lower(a.during) AS since,
    upper(a.during) AS until
FROM assignment AS a
WHERE
    a.during && tstzrange(%(since)s, %(until)s)
    AND a.assignment_id IS DISTINCT FROM %(but)s::bigint
    AND (
        a.device = %(device)s
        OR a.driver = %(driver)s
        OR (%(driver)s::text IS NOT NULL AND a.driver IS NOT NULL AND a.vehicle = %(vehicle)s)
        OR (
            %(device)s::text IS NULL
            AND %(trailer)s::text IS NOT NULL
            AND a.device IS NULL
            AND a.trailer IS NOT NULL
            AND (a.trailer = %(trailer)s OR a.vehicle = %(vehicle)s)
        )
    )
ORDER BY coalesce(lower(a.during), '-infinity'), a.assignment_id;

-- make --
INSERT INTO assignment (device, driver, trailer, vehicle, during)
VALUES (
    %(device)s, %(driver)s, %(trailer)s, %(vehicle)s, tstzrange(%(since)s, %(until)s)
)
RETURNING assignment_id;

-- change --
UPDATE assignment SET during = tstzrange(%(since)s, %(until)s)
WHERE assignment_id = %(assignment_id)s;

-- remove --
DELETE FROM assignment WHERE assignment_id = %(assignment_id)s;
