-- What sensors measured, held against a band (docs/questions.md). A side of the band that is null is open.

-- latest_measurements --
SELECT
    d.device,
    a.vehicle,
    d.read_point,
    latest.time,
    greatest(extract(EPOCH FROM %(at)s - latest.time), 0)::float8 AS age_s,
    latest.value,
    (latest.value < %(low)s::float8 OR latest.value > %(high)s::float8) IS TRUE AS out_of_band
FROM device AS d
CROSS JOIN LATERAL (
    SELECT r.time, (r.measured ->> %(measure)s::text)::float8 AS value
    FROM telemetry_reading AS r
    WHERE
        r.device = d.device
        AND r.time >= %(since)s
        AND r.time < %(until)s
        AND r.measured ? %(measure)s::text
    ORDER BY r.time DESC, r.stream_id DESC, r.stream_offset DESC
    LIMIT 1
) AS latest
LEFT JOIN assignment AS a ON d.device = a.device AND a.during @> latest.time
WHERE
    (
        %(vehicle)s::text IS NULL
        -- The first condition spares looking for what other vehicles' devices measured.
        OR (
            d.device IN (SELECT b.device FROM assignment AS b WHERE b.vehicle = %(vehicle)s)
            AND a.vehicle = %(vehicle)s
        )
    )
    AND (%(site)s::text IS NULL OR split_part(d.read_point, '/', 1) = %(site)s)
    AND (
        NOT %(out_of_band)s::boolean
        OR latest.value < %(low)s::float8
        OR latest.value > %(high)s::float8
    )
    AND (%(after)s::text [] IS NULL OR d.device > (%(after)s::text [])[1])
ORDER BY d.device
LIMIT %(limit)s;

-- band_episodes --
-- Gaps and islands: readings outside the band share the number of readings inside it (or silences) before them.
SELECT
    d.device,
    a.vehicle,
    d.read_point,
    e.started_at,
    e.ended_at,
    extract(EPOCH FROM coalesce(e.ended_at, %(until)s) - e.started_at)::float8 AS lasted_s,
    e.lowest,
    e.highest,
    e.readings
FROM device AS d
CROSS JOIN LATERAL (
    SELECT
        island.started_at,
        island.lowest,
        island.highest,
        island.readings,
        CASE
            WHEN least(island.next_at, %(until)s) - island.last_at > make_interval(secs => %(gap_s)s::float8)
                THEN island.last_at
            WHEN island.next_at < %(until)s THEN island.next_at
        END AS ended_at
    FROM (
        SELECT
            min(numbered.time) AS started_at,
            max(numbered.time) AS last_at,
            max(numbered.next_at) AS next_at,
            min(numbered.value) AS lowest,
            max(numbered.value) AS highest,
            count(*) AS readings
        FROM (
            SELECT
                judged.time,
                judged.next_at,
                judged.value,
                judged.is_out,
                count(*) FILTER (
                    WHERE NOT judged.is_out
                    OR judged.time - judged.previous_at > make_interval(secs => %(gap_s)s::float8)
                ) OVER (ORDER BY judged.time, judged.stream_id, judged.stream_offset) AS island
            FROM (
                SELECT
                    seen.*,
                    (seen.value < %(low)s::float8 OR seen.value > %(high)s::float8) IS TRUE AS is_out,
                    lag(seen.time) OVER in_order AS previous_at,
                    coalesce(lead(seen.time) OVER in_order, 'infinity') AS next_at
                FROM (
                    SELECT
                        r.time,
                        r.stream_id,
                        r.stream_offset,
                        (r.measured ->> %(measure)s::text)::float8 AS value
                    FROM telemetry_reading AS r
                    WHERE
                        r.device = d.device
                        AND r.time >= %(since)s
                        AND r.time < %(until)s
                        AND r.measured ? %(measure)s::text
                ) AS seen
                WINDOW in_order AS (ORDER BY seen.time, seen.stream_id, seen.stream_offset)
            ) AS judged
        ) AS numbered
        WHERE numbered.is_out
        GROUP BY numbered.island
    ) AS island
) AS e
LEFT JOIN assignment AS a ON d.device = a.device AND a.during @> e.started_at
WHERE
    (
        %(vehicle)s::text IS NULL
        OR (
            d.device IN (SELECT b.device FROM assignment AS b WHERE b.vehicle = %(vehicle)s)
            AND a.vehicle = %(vehicle)s
        )
    )
    AND (%(site)s::text IS NULL OR split_part(d.read_point, '/', 1) = %(site)s)
    AND coalesce(e.ended_at, %(until)s) - e.started_at >= make_interval(secs => %(lasted_s_min)s::float8)
    AND (
        %(after)s::text [] IS NULL
        OR (
            d.device >= (%(after)s::text [])[1]
            AND (d.device, e.started_at) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::timestamptz)
        )
    )
ORDER BY d.device, e.started_at
LIMIT %(limit)s;
