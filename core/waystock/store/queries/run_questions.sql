-- How vehicles fared on their shipments (docs/questions.md). A shipment is under way from when its vehicle stands at the
-- door (or shall depart) until its last stop is reached, it is closed, or it is %(expire_s)s overdue; of several, the one
-- that departs last. A stand is unplanned if it begins under way and touches no fence of a site or customer.

-- breakdowns --
SELECT
    v.vehicle,
    v.plate,
    e.kind,
    e.started_at,
    e.ended_at,
    extract(EPOCH FROM coalesce(e.ended_at, e.known_until) - e.started_at)::float8 AS lasted_s,
    coalesce(e.lat, place.lat) AS lat,
    coalesce(e.lon, place.lon) AS lon,
    run.shipment,
    e.device
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    WITH stand AS MATERIALIZED (
        SELECT
            b.arrived_at,
            b.departed_at,
            least(coalesce(b.departed_at, s.fix_time, b.arrived_at), %(until)s) AS known_until,
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
    ),

    planned AS MATERIALIZED (
        SELECT w.entered_at, coalesce(w.exited_at, 'infinity') AS exited_at
        FROM visit AS w
        INNER JOIN fence AS f USING (fence)
        WHERE
            w.vehicle = v.vehicle
            AND f.kind IN ('site', 'yard', 'dock', 'customer')
            AND w.entered_at < %(until)s
            AND (w.exited_at IS NULL OR w.exited_at > (SELECT min(stand.arrived_at) FROM stand))
    )

    SELECT
        'stopped' AS kind,
        stand.arrived_at AS started_at,
        CASE WHEN stand.departed_at <= %(until)s THEN stand.departed_at END AS ended_at,
        stand.known_until,
        stand.lat,
        stand.lon,
        NULL::text AS device
    FROM stand
    WHERE
        stand.known_until > %(since)s
        AND stand.known_until - stand.arrived_at >= make_interval(secs => %(stood_s_min)s::float8)
        AND NOT EXISTS (
            SELECT 1 FROM planned
            WHERE planned.entered_at < stand.known_until AND planned.exited_at > stand.arrived_at
        )
    UNION ALL
    SELECT
        'reported',
        min(numbered.time),
        CASE
            WHEN
                least(max(numbered.next_at), %(until)s) - max(numbered.time)
                > make_interval(secs => %(gap_s)s::float8)
                THEN max(numbered.time)
            WHEN max(numbered.next_at) < %(until)s THEN max(numbered.next_at)
        END,
        %(until)s,
        NULL,
        NULL,
        min(numbered.device)
    FROM (
        SELECT
            told.*,
            count(*) FILTER (
                WHERE NOT told.is_down
                OR told.time - told.previous_at > make_interval(secs => %(gap_s)s::float8)
            ) OVER (PARTITION BY told.device ORDER BY told.time, told.stream_id, told.stream_offset) AS island
        FROM (
            SELECT
                r.device,
                r.time,
                r.stream_id,
                r.stream_offset,
                (r.measured ->> 'breakdown')::float8 > 0 AS is_down,
                lag(r.time) OVER unit AS previous_at,
                coalesce(lead(r.time) OVER unit, 'infinity') AS next_at
            FROM assignment AS a
            INNER JOIN telemetry_reading AS r ON a.device = r.device AND a.during @> r.time
            WHERE
                a.vehicle = v.vehicle
                AND r.time >= %(since)s
                AND r.time < %(until)s
                AND r.measured ? 'breakdown'
            WINDOW unit AS (PARTITION BY r.device ORDER BY r.time, r.stream_id, r.stream_offset)
        ) AS told
    ) AS numbered
    WHERE numbered.is_down
    GROUP BY numbered.device, numbered.island
) AS e
LEFT JOIN LATERAL (
    SELECT f.lat, f.lon
    FROM assignment AS a
    INNER JOIN fix AS f ON a.device = f.device AND a.during @> f.time
    WHERE
        e.kind = 'reported'
        AND a.vehicle = v.vehicle
        AND f.time >= %(since)s
        AND f.time < %(until)s
        AND f.time <= e.started_at
    ORDER BY f.time DESC
    LIMIT 1
) AS place ON true
LEFT JOIN LATERAL (
    SELECT sh.shipment
    FROM shipment AS sh
    WHERE
        sh.vehicle = v.vehicle
        AND coalesce(sh.door_from, sh.depart_at) <= e.started_at
        AND (sh.closed_at IS NULL OR sh.closed_at > e.started_at)
        AND e.started_at < make_interval(secs => %(expire_s)s::float8) + coalesce(
            (SELECT max(o.window_end) FROM shipment_stop AS o WHERE o.shipment = sh.shipment), sh.depart_at
        )
        AND NOT EXISTS (
            SELECT 1 FROM stop_arrival AS a
            WHERE
                a.shipment = sh.shipment
                AND a.arrived_at <= e.started_at
                AND a.seq = (SELECT max(o.seq) FROM shipment_stop AS o WHERE o.shipment = sh.shipment)
        )
    ORDER BY sh.depart_at DESC, sh.shipment
    LIMIT 1
) AS run ON true
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(kind)s::text IS NULL OR e.kind = %(kind)s)
    AND (e.kind = 'reported' OR run.shipment IS NOT NULL)
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, e.started_at, e.kind, coalesce(e.device, '')) > (
                (%(after)s::text [])[1],
                ((%(after)s::text [])[2])::timestamptz,
                (%(after)s::text [])[3],
                (%(after)s::text [])[4]
            )
        )
    )
ORDER BY v.vehicle, e.started_at, e.kind, coalesce(e.device, '')
LIMIT %(limit)s;

-- breakdown_shares --
-- TSBS's "breakdown frequency": of the windows that begin with a shipment under way, those mostly stood through unplanned.
SELECT
    v.vehicle,
    v.plate,
    counted.windows,
    counted.still,
    counted.still / counted.windows::float8 AS still_share
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    WITH run AS MATERIALIZED (
        SELECT
            coalesce(sh.door_from, sh.depart_at) AS from_at,
            least(
                sh.closed_at,
                last_stop.arrived_at,
                make_interval(secs => %(expire_s)s::float8) + coalesce(
                    (SELECT max(o.window_end) FROM shipment_stop AS o WHERE o.shipment = sh.shipment), sh.depart_at
                )
            ) AS to_at
        FROM shipment AS sh
        LEFT JOIN LATERAL (
            SELECT a.arrived_at
            FROM stop_arrival AS a
            WHERE
                a.shipment = sh.shipment
                AND a.seq = (SELECT max(o.seq) FROM shipment_stop AS o WHERE o.shipment = sh.shipment)
        ) AS last_stop ON true
        WHERE sh.vehicle = v.vehicle AND coalesce(sh.door_from, sh.depart_at) < %(until)s
    ),

    stand AS MATERIALIZED (
        SELECT
            b.arrived_at AS from_at,
            coalesce(b.departed_at, s.fix_time, b.arrived_at) AS to_at
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
    ),

    planned AS MATERIALIZED (
        SELECT w.entered_at, coalesce(w.exited_at, 'infinity') AS exited_at
        FROM visit AS w
        INNER JOIN fence AS f USING (fence)
        WHERE
            w.vehicle = v.vehicle
            AND f.kind IN ('site', 'yard', 'dock', 'customer')
            AND w.entered_at < %(until)s
            AND (w.exited_at IS NULL OR w.exited_at > (SELECT min(stand.from_at) FROM stand))
    ),

    unplanned AS MATERIALIZED (
        SELECT stand.from_at, stand.to_at
        FROM stand
        WHERE
            EXISTS (SELECT 1 FROM run WHERE run.from_at <= stand.from_at AND run.to_at > stand.from_at)
            AND NOT EXISTS (
                SELECT 1 FROM planned
                WHERE planned.entered_at < stand.to_at AND planned.exited_at > stand.from_at
            )
    )

    SELECT
        count(*) AS windows,
        count(*) FILTER (
            WHERE 2 * (
                SELECT
                    coalesce(
                        sum(
                            greatest(
                                extract(EPOCH FROM least(u.to_at, w.to_at) - greatest(u.from_at, w.from_at)), 0
                            )
                        ),
                        0
                    )
                FROM unplanned AS u
            ) > %(window_s)s::float8
        ) AS still
    FROM (
        SELECT
            g AS from_at,
            g + make_interval(secs => %(window_s)s::float8) AS to_at
        FROM generate_series(
            %(since)s,
            %(until)s - make_interval(secs => %(window_s)s::float8),
            make_interval(secs => %(window_s)s::float8)
        ) AS g
    ) AS w
    WHERE EXISTS (SELECT 1 FROM run WHERE run.from_at <= w.from_at AND run.to_at > w.from_at)
) AS counted
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND counted.windows > 0
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;
