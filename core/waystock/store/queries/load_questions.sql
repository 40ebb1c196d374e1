-- How full vehicles drove, beside the plan (docs/questions.md). A shipment is under way as in run_questions.sql.

-- trip_loads --
-- Today's load less what was moved after the trip, and of what was moved during it the share of the trip before that.
SELECT
    v.vehicle,
    v.plate,
    t.started_at,
    t.ended_at,
    extract(EPOCH FROM t.counted_until - t.started_at)::float8 AS driven_s,
    t.distance_m,
    load.units_at_start,
    load.mean_units,
    run.shipment,
    plan.units AS planned_units,
    plan.lpns AS planned_lpns,
    plan.planned_by,
    load.mean_units / nullif(plan.units, 0) AS mean_share
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(p.on_hand), 0) AS units
    FROM stock_position AS p
    WHERE p.location = 'vehicle/' || v.vehicle
) AS now_on
CROSS JOIN LATERAL (
    SELECT
        b.started_at,
        b.ended_at,
        coalesce(b.distance_m, CASE WHEN s.trip_started_at = b.started_at THEN s.trip_m END) AS distance_m,
        coalesce(b.ended_at, s.fix_time, b.started_at) AS counted_until
    FROM trip AS b
    WHERE b.vehicle = v.vehicle AND b.started_at >= %(since)s AND b.started_at < %(until)s
) AS t
CROSS JOIN LATERAL (
    SELECT
        (now_on.units - coalesce(sum(leg.quantity), 0))::bigint AS units_at_start,
        (
            now_on.units - coalesce(
                sum(
                    leg.quantity * least(
                        extract(EPOCH FROM leg.occurred_at - t.started_at)
                        / nullif(extract(EPOCH FROM t.counted_until - t.started_at), 0),
                        1
                    )
                ),
                0
            )
        )::float8 AS mean_units
    FROM (
        SELECT m.occurred_at, m.quantity
        FROM movement AS m
        WHERE
            m.to_location = 'vehicle/' || v.vehicle
            AND m.to_location LIKE 'vehicle/%%'
            AND m.occurred_at > %(since)s
            AND m.occurred_at > t.started_at
        UNION ALL
        SELECT m.occurred_at, -m.quantity
        FROM movement AS m
        WHERE
            m.from_location = 'vehicle/' || v.vehicle
            AND m.from_location LIKE 'vehicle/%%'
            AND m.occurred_at > %(since)s
            AND m.occurred_at > t.started_at
    ) AS leg
) AS load
LEFT JOIN LATERAL (
    SELECT sh.shipment
    FROM shipment AS sh
    WHERE
        sh.vehicle = v.vehicle
        AND coalesce(sh.door_from, sh.depart_at) < t.counted_until
        AND (sh.closed_at IS NULL OR sh.closed_at > t.started_at)
        AND t.started_at < make_interval(secs => %(expire_s)s::float8) + coalesce(
            (SELECT max(o.window_end) FROM shipment_stop AS o WHERE o.shipment = sh.shipment), sh.depart_at
        )
        AND NOT EXISTS (
            SELECT 1 FROM stop_arrival AS a
            WHERE
                a.shipment = sh.shipment
                AND a.arrived_at <= t.started_at
                AND a.seq = (SELECT max(o.seq) FROM shipment_stop AS o WHERE o.shipment = sh.shipment)
        )
    ORDER BY sh.depart_at DESC, sh.shipment
    LIMIT 1
) AS run ON true
CROSS JOIN LATERAL (
    SELECT
        coalesce(ordered.units, announced.units)::bigint AS units,
        nullif(announced.lpns, 0) AS lpns,
        CASE
            WHEN ordered.units IS NOT NULL THEN 'orders'
            WHEN announced.units IS NOT NULL THEN 'asn'
        END AS planned_by
    FROM (
        SELECT sum(line.quantity) AS units
        FROM sales_order AS o
        INNER JOIN sales_order_line AS line USING (sales_order)
        WHERE o.shipment = run.shipment
    ) AS ordered
    CROSS JOIN (
        SELECT
            sum(pallet.quantity) AS units,
            count(DISTINCT listed.lpn) AS lpns
        FROM shipment_lpn AS listed
        LEFT JOIN asn_pallet AS pallet ON listed.lpn = pallet.sscc
        WHERE listed.shipment = run.shipment
    ) AS announced
) AS plan
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (%(shipment)s::text IS NULL OR run.shipment = %(shipment)s)
    AND t.counted_until > t.started_at
    AND (
        %(after)s::text [] IS NULL
        OR (
            v.vehicle >= (%(after)s::text [])[1]
            AND (v.vehicle, t.started_at) > ((%(after)s::text [])[1], ((%(after)s::text [])[2])::timestamptz)
        )
    )
ORDER BY v.vehicle, t.started_at
LIMIT %(limit)s;
