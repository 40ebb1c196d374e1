-- The history of what was predicted.

-- put --
-- What differs enough from what was said of the stop last, or comes long enough after it. Ranges far away are wide: a
-- change counts by its share of the time left, too.
INSERT INTO eta_prediction (
    predicted_at, vehicle, shipment, seq, lane, model, remaining_m, p10, p50, p90
)
SELECT
    n.predicted_at, n.vehicle, n.shipment, n.seq, n.lane, n.model, n.remaining_m, n.p10, n.p50, n.p90
FROM unnest(
    %(predicted_at)s::timestamptz [], %(vehicles)s::text [], %(shipments)s::text [], %(seqs)s::integer [],
    %(lanes)s::bigint [], %(models)s::text [], %(remaining_m)s::float8 [], %(p10)s::timestamptz [],
    %(p50)s::timestamptz [], %(p90)s::timestamptz []
) AS n (predicted_at, vehicle, shipment, seq, lane, model, remaining_m, p10, p50, p90)
LEFT JOIN LATERAL (
    SELECT e.predicted_at, e.p50, e.model
    FROM eta_prediction AS e
    WHERE
        e.shipment = n.shipment AND e.seq = n.seq
        AND e.predicted_at > n.predicted_at - interval '1 day' AND e.predicted_at > %(first)s
    ORDER BY e.predicted_at DESC
    LIMIT 1
) AS last ON true
WHERE
    last.predicted_at IS NULL
    OR (
        n.predicted_at > last.predicted_at
        AND (
            n.model <> last.model
            OR n.predicted_at >= last.predicted_at + make_interval(secs => %(every_s)s)
            OR abs(extract(epoch FROM n.p50 - last.p50)) >= greatest(
                %(change_s)s::float8,
                %(change_share)s::float8 * extract(epoch FROM n.p50 - n.predicted_at)
            )
        )
    );

-- delete_old --
DELETE FROM eta_prediction
WHERE ctid = any(ARRAY(
    SELECT ctid FROM eta_prediction
    WHERE predicted_at < now() - make_interval(secs => %(age_s)s)
    LIMIT %(batch)s
));

-- of_shipment --
SELECT predicted_at, vehicle, seq, model, remaining_m, p10, p50, p90
FROM eta_prediction
WHERE
    shipment = %(shipment)s
    AND (%(seq)s::integer IS NULL OR seq = %(seq)s)
    AND (
        %(after)s::text [] IS NULL
        OR (predicted_at, seq) < ((%(after)s::text [])[1]::timestamptz, (%(after)s::text [])[2]::integer)
    )
ORDER BY predicted_at DESC, seq DESC
LIMIT %(limit)s;

-- accuracy --
-- Each prediction of a stop that was reached, against when it was. `early_s` and `late_s` are what the transit benchmark
-- allows (a vehicle may come so much earlier or later than told); beyond a quarter of an hour, a tenth of the time left.
WITH said AS (
    SELECT
        CASE %(by)s::text
            WHEN 'lane' THEN p.lane::text
            WHEN 'carrier' THEN coalesce(v.carrier, '')
            WHEN 'vehicle' THEN p.vehicle
            ELSE ''
        END AS key,
        p.model,
        p.lane,
        extract(epoch FROM a.arrived_at - p.predicted_at)::float8 AS left_s,
        extract(epoch FROM a.arrived_at - p.p50)::float8 AS error_s,
        a.arrived_at BETWEEN p.p10 AND p.p90 AS is_within,
        p.shipment || '/' || p.seq AS arrival
    FROM eta_prediction AS p
    INNER JOIN stop_arrival AS a USING (shipment, seq)
    LEFT JOIN vehicle AS v ON p.vehicle = v.vehicle
    WHERE
        p.predicted_at >= %(since)s AND p.predicted_at < %(until)s
        AND a.arrived_at > p.predicted_at
        AND (%(model)s::text IS NULL OR p.model = %(model)s)
),

bucketed AS (
    SELECT
        said.*,
        width_bucket(said.left_s - 1e-6, ARRAY[180, 360, 600, 900, 3600, 14400]::float8 []) AS bucket
    FROM said
),

judged AS (
    SELECT
        b.*,
        CASE
            WHEN b.bucket < 4 THEN b.error_s BETWEEN
                -(ARRAY[30, 60, 60, 90])[b.bucket + 1] AND (ARRAY[90, 150, 210, 270])[b.bucket + 1]
            ELSE abs(b.error_s) <= 0.1 * b.left_s
        END AS is_right
    FROM bucketed AS b
)

SELECT
    j.key,
    j.model,
    j.bucket,
    (ARRAY['0-3', '3-6', '6-10', '10-15', '15-60', '60-240', '240+'])[j.bucket + 1] AS minutes_away,
    min(l.from_code) AS from_code,
    min(l.to_fence) AS to_fence,
    count(*) AS predictions,
    count(DISTINCT j.arrival) AS arrivals,
    avg(j.is_right::integer)::float8 AS right_share,
    avg(j.error_s) AS bias_s,
    avg(abs(j.error_s)) AS mae_s,
    avg(j.is_within::integer)::float8 AS within_p10_p90
FROM judged AS j
LEFT JOIN lane AS l ON %(by)s::text = 'lane' AND j.lane = l.lane
WHERE
    %(after)s::text [] IS NULL
    OR (j.key, j.model, j.bucket)
    > ((%(after)s::text [])[1], (%(after)s::text [])[2], (%(after)s::text [])[3]::integer)
GROUP BY j.key, j.model, j.bucket
ORDER BY j.key, j.model, j.bucket
LIMIT %(limit)s;

-- promises --
SELECT
    sales_order, customer, site, shipment, seq, promised_at, expected_at, state, eta, eta_p90, arrived_at
FROM customer_promise
WHERE
    (%(customer)s::text IS NULL OR customer = %(customer)s)
    AND (%(shipment)s::text IS NULL OR shipment = %(shipment)s)
    AND (%(state)s::text IS NULL OR state = %(state)s)
    AND promised_at >= %(since)s AND promised_at < %(until)s
    AND (%(after)s::text [] IS NULL OR sales_order > (%(after)s::text [])[1])
ORDER BY sales_order
LIMIT %(limit)s;
