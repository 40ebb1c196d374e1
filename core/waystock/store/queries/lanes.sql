-- What lanes have taught: finished legs, curves, outcomes of predictions. Read and written set-wise.

-- due --
SELECT leg_due_id, shipment, seq FROM leg_due ORDER BY leg_due_id LIMIT %(limit)s;

-- not_due --
DELETE FROM leg_due WHERE leg_due_id = any(%(ids)s::bigint []);

-- legs --
-- The legs that end with these arrivals, and those that begin with them; an arrival that is no more has none, and a leg
-- whose stop before was left out is not its lane's. A first leg begins when the vehicle had done with what it did before.
SELECT
    t.shipment,
    t.seq,
    a.vehicle,
    a.arrived_at,
    before.seq AS seq_before,
    coalesce(
        came.arrived_at,
        greatest(
            s.depart_at - interval '2 hours',
            (
                SELECT max(e.arrived_at) FROM stop_arrival AS e
                INNER JOIN shipment AS other USING (shipment)
                WHERE other.vehicle = a.vehicle AND e.shipment <> t.shipment AND e.arrived_at < a.arrived_at
                    AND other.depart_at > s.depart_at - interval '7 days'
            )
        )
    ) AS begun_at,
    (before.seq IS NULL OR came.arrived_at < a.arrived_at) AS is_whole
FROM unnest(%(shipments)s::text [], %(seqs)s::integer []) AS k (shipment, seq)
INNER JOIN shipment AS s ON k.shipment = s.shipment
INNER JOIN shipment_stop AS t
    ON
        k.shipment = t.shipment
        AND (
            k.seq = t.seq
            OR t.seq = (
                SELECT min(n.seq) FROM shipment_stop AS n
                WHERE n.shipment = k.shipment AND n.seq > k.seq
            )
        )
INNER JOIN stop_arrival AS a ON t.shipment = a.shipment AND t.seq = a.seq
LEFT JOIN LATERAL (
    SELECT b.seq FROM shipment_stop AS b
    WHERE b.shipment = t.shipment AND b.seq < t.seq
    ORDER BY b.seq DESC
    LIMIT 1
) AS before ON true
LEFT JOIN stop_arrival AS came ON t.shipment = came.shipment AND before.seq = came.seq
GROUP BY t.shipment, t.seq, a.vehicle, a.arrived_at, before.seq, came.arrived_at, s.depart_at
ORDER BY a.arrived_at, t.shipment, t.seq;

-- shipments --
SELECT
    shipment, vehicle, from_site, dock_door, door_from, door_to, depart_at, route,
    planned_speed_mps, closed_at
FROM shipment
WHERE shipment = any(%(shipments)s::text []);

-- stops --
SELECT shipment, seq, name, fence, customer, window_start, window_end
FROM shipment_stop
WHERE shipment = any(%(shipments)s::text [])
ORDER BY shipment, seq;

-- fences --
SELECT fence, name, kind, site, location, dwell_limit_s, speed_limit_mps, geometry, rules FROM fence
WHERE
    fence IN (SELECT t.fence FROM shipment_stop AS t WHERE t.shipment = any(%(shipments)s::text []));

-- fixes --
SELECT k.place, f.*
FROM unnest(
    %(places)s::integer [], %(vehicles)s::text [], %(since)s::timestamptz [], %(until)s::timestamptz []
) AS k (place, vehicle, since, until)
CROSS JOIN LATERAL (
    SELECT
        array_agg(x.time ORDER BY x.time, x.lat, x.lon) AS time,
        array_agg(x.lat ORDER BY x.time, x.lat, x.lon) AS lat,
        array_agg(x.lon ORDER BY x.time, x.lat, x.lon) AS lon
    FROM device AS d
    INNER JOIN fix AS x ON d.device = x.device
    WHERE
        d.vehicle = k.vehicle AND x.time >= k.since AND x.time < k.until
        AND x.time >= %(first)s AND x.time < %(last)s
        AND coalesce(x.accuracy_m, 0) <= %(accuracy_m_max)s
    HAVING count(*) > 0
) AS f;

-- forget_passages --
-- Of these legs; the lanes that they taught.
DELETE FROM lane_passage AS p
USING unnest(%(shipments)s::text [], %(seqs)s::integer []) AS k (shipment, seq)
WHERE p.shipment = k.shipment AND p.seq = k.seq
RETURNING p.lane;

-- put_lanes --
INSERT INTO lane (lane, from_code, to_fence, length_m)
SELECT DISTINCT ON (l.lane) l.lane, l.from_code, l.to_fence, l.length_m
FROM unnest(
    %(lanes)s::bigint [], %(from_codes)s::text [], %(to_fences)s::text [], %(length_m)s::float8 []
) AS l (lane, from_code, to_fence, length_m)
ORDER BY l.lane
ON CONFLICT (lane) DO NOTHING;

-- put_passages --
INSERT INTO lane_passage (shipment, seq, lane, vehicle, left_at, arrived_at, service_s, rest_s)
SELECT
    p.shipment, p.seq, p.lane, p.vehicle, p.left_at, p.arrived_at, nullif(p.service_s, 'NaN'),
    string_to_array(p.rest_s, ',')::real []
FROM unnest(
    %(shipments)s::text [], %(seqs)s::integer [], %(lanes)s::bigint [], %(vehicles)s::text [],
    %(left)s::timestamptz [], %(arrived)s::timestamptz [], %(service_s)s::float8 [], %(rest_s)s::text []
) AS p (shipment, seq, lane, vehicle, left_at, arrived_at, service_s, rest_s);

-- passages --
-- The newest of each lane.
SELECT k.lane, l.length_m, p.left_at, p.service_s, p.rest_s
FROM unnest(%(lanes)s::bigint []) AS k (lane)
INNER JOIN lane AS l USING (lane)
CROSS JOIN LATERAL (
    SELECT q.left_at, q.service_s, q.rest_s, q.arrived_at, q.shipment, q.seq
    FROM lane_passage AS q
    WHERE q.lane = k.lane
    ORDER BY q.arrived_at DESC, q.shipment, q.seq
    LIMIT %(limit)s
) AS p
ORDER BY k.lane, p.arrived_at DESC, p.shipment, p.seq;

-- put_curves --
INSERT INTO lane_curve (
    lane, valid_from, passages, services, length_m, leave_m, service_s, spread, rest_s, hour_log
)
SELECT
    c.lane, clock_timestamp() + make_interval(secs => %(lead_s)s), c.passages, c.services, c.length_m,
    c.leave_m, c.service_s, c.spread, string_to_array(c.rest_s, ',')::real [],
    string_to_array(c.hour_log, ',')::real []
FROM unnest(
    %(lanes)s::bigint [], %(passages)s::integer [], %(services)s::integer [], %(length_m)s::float8 [],
    %(leave_m)s::float8 [], %(service_s)s::float8 [], %(spread)s::float8 [], %(rest_s)s::text [],
    %(hour_log)s::text []
) AS c (lane, passages, services, length_m, leave_m, service_s, spread, rest_s, hour_log)
ORDER BY c.lane;

-- prune_curves --
-- What was in force within the time that late fixes are folded again stays, and the newest.
DELETE FROM lane_curve AS c
WHERE
    c.lane = any(%(lanes)s::bigint [])
    AND EXISTS (
        SELECT 1 FROM lane_curve AS later
        WHERE
            later.lane = c.lane AND later.valid_from > c.valid_from
            AND later.valid_from < now() - make_interval(secs => %(keep_s)s)
    );

-- prune_passages --
DELETE FROM lane_passage AS p
USING (
    SELECT q.shipment, q.seq, row_number() OVER (PARTITION BY q.lane ORDER BY q.arrived_at DESC) AS place
    FROM lane_passage AS q
    WHERE q.lane = any(%(lanes)s::bigint [])
) AS old
WHERE p.shipment = old.shipment AND p.seq = old.seq AND old.place > %(limit)s;

-- network --
SELECT hour_log, learned_at < now() - make_interval(secs => %(old_s)s) AS is_old FROM lane_network;

-- hours --
-- By hour of the week (Monday 0:00 UTC is 0), how much longer legs took than their lane's middle.
SELECT
    ((extract(isodow FROM p.left_at) - 1) * 24 + extract(hour FROM p.left_at))::integer AS hour,
    avg(ln(greatest(1, p.rest_s[1]) / middle.drive_s)) AS mean_log,
    count(*) AS passages
FROM lane_passage AS p
INNER JOIN (
    SELECT
        lane,
        greatest(1, percentile_cont(0.5) WITHIN GROUP (ORDER BY rest_s[1])) AS drive_s
    FROM lane_passage
    WHERE arrived_at > now() - interval '60 days'
    GROUP BY lane
) AS middle USING (lane)
WHERE p.arrived_at > now() - interval '60 days'
GROUP BY 1;

-- put_network --
INSERT INTO lane_network (learned_at, hour_log)
VALUES (now(), string_to_array(%(hour_log)s::text, ',')::real [])
ON CONFLICT (only_row) DO UPDATE SET
learned_at = excluded.learned_at, hour_log = excluded.hour_log;

-- newest --
SELECT
    coalesce((SELECT max(curve_id) FROM lane_curve), 0) AS curve_id,
    coalesce((SELECT max(range_id) FROM eta_range), 0) AS range_id;

-- curves --
SELECT
    lane, valid_from, passages, services, length_m, leave_m, service_s, spread, rest_s, hour_log
FROM lane_curve
WHERE lane = any(%(lanes)s::bigint []) AND curve_id > %(after)s
ORDER BY curve_id;

-- ranges --
SELECT valid_from, model, horizon, outcomes, low, high
FROM eta_range
WHERE range_id > %(after)s
ORDER BY range_id;

-- ranges_are_old --
SELECT NOT EXISTS (
    SELECT 1 FROM eta_range WHERE valid_from > now() - make_interval(secs => %(old_s)s)
);

-- put_ranges --
-- Of predictions of the last four weeks whose arrival has come; told apart by the time that was predicted.
INSERT INTO eta_range (valid_from, model, horizon, outcomes, low, high)
SELECT
    clock_timestamp() + make_interval(secs => %(lead_s)s),
    said.model,
    said.horizon,
    count(*),
    percentile_cont(0.1) WITHIN GROUP (ORDER BY said.ratio),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY said.ratio)
FROM (
    SELECT
        p.model,
        width_bucket(
            extract(epoch FROM p.p50 - p.predicted_at)::float8 - 1e-6, %(horizon_ends_s)s::float8 []
        ) AS horizon,
        (extract(epoch FROM a.arrived_at - p.predicted_at) / extract(epoch FROM p.p50 - p.predicted_at))::float8
            AS ratio
    FROM eta_prediction AS p
    INNER JOIN stop_arrival AS a USING (shipment, seq)
    WHERE
        p.predicted_at > now() - interval '28 days'
        AND a.arrived_at > p.predicted_at
        AND p.p50 > p.predicted_at + interval '1 second'
) AS said
GROUP BY said.model, said.horizon
HAVING count(*) >= %(outcomes_min)s;

-- prune_ranges --
DELETE FROM eta_range WHERE valid_from < now() - make_interval(secs => %(keep_s)s);
