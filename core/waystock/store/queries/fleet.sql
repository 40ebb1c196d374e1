-- The fleet fold's states, its checkpoints and its rows. Columns come as arrays; unknown is NaN or -infinity there.
-- Arrays of thousands are unnested in SELECT, which hands them on value by value; in FROM they would be written to a
-- temporary file first.

-- register_vehicles --
INSERT INTO vehicle_state (vehicle)
SELECT k FROM unnest(%(vehicles)s::text []) AS k
WHERE NOT EXISTS (SELECT 1 FROM vehicle_state AS s WHERE s.vehicle = k)
ORDER BY k
ON CONFLICT (vehicle) DO NOTHING;

-- read_vehicles --
SELECT vehicle, state, fix_time, xmin::text::bigint AS written_by FROM vehicle_state
WHERE vehicle = any(%(vehicles)s::text []);

-- lock_vehicles --
SELECT vehicle, state, fix_time, xmin::text::bigint AS written_by FROM vehicle_state
WHERE vehicle = any(%(vehicles)s::text []) ORDER BY vehicle FOR UPDATE;

-- written_by --
SELECT xmin::text::bigint AS written_by FROM vehicle_state WHERE vehicle = %(vehicle)s;

-- checkpoints_before --
SELECT
    k.place,
    c.state,
    EXISTS (
        SELECT 1
        FROM unnest(
            %(device_places)s::integer [], %(devices)s::text [], %(from_at)s::timestamptz [],
            %(until_at)s::timestamptz []
        ) AS d (place, device, from_at, until_at)
        INNER JOIN fix AS f ON d.device = f.device AND f.time = c.at
        WHERE d.place = k.place AND f.time >= d.from_at AND f.time < d.until_at
    ) AS is_kept
FROM unnest(%(vehicles)s::text [], %(before)s::timestamptz []) WITH ORDINALITY
    AS k (vehicle, before, place)
INNER JOIN LATERAL (
    SELECT at, state FROM fold_checkpoint
    WHERE vehicle = k.vehicle AND at < k.before AND substring(state FOR 2) = %(form)s
    ORDER BY at DESC
    LIMIT 1
) AS c ON true
ORDER BY k.place;

-- kept_since --
SELECT
    k.place,
    EXISTS (
        SELECT 1
        FROM unnest(
            %(device_places)s::integer [], %(devices)s::text [], %(from_at)s::timestamptz [],
            %(until_at)s::timestamptz []
        ) AS d (place, device, from_at, until_at)
        INNER JOIN fix AS f ON d.device = f.device AND f.time = k.first_at
        WHERE d.place = k.place AND f.time >= d.from_at AND f.time < d.until_at
    ) AS is_whole,
    (
        SELECT min(c.at)
        FROM fold_checkpoint AS c
        INNER JOIN
            unnest(
                %(device_places)s::integer [], %(devices)s::text [], %(from_at)s::timestamptz [],
                %(until_at)s::timestamptz []
            ) AS d (place, device, from_at, until_at)
            ON d.place = k.place
        INNER JOIN fix AS f ON d.device = f.device AND c.at = f.time
        WHERE
            c.vehicle = k.vehicle
            AND substring(c.state FOR 2) = %(form)s
            AND f.time >= d.from_at
            AND f.time < d.until_at
    ) AS floor
FROM unnest(%(vehicles)s::text [], %(first_at)s::timestamptz []) WITH ORDINALITY
    AS k (vehicle, first_at, place)
ORDER BY k.place;

-- fixes_since --
SELECT k.place, f.*
FROM unnest(
    %(places)s::integer [], %(devices)s::text [], %(from_at)s::timestamptz [],
    %(until_at)s::timestamptz [], %(since)s::timestamptz []
) AS k (place, device, from_at, until_at, since)
CROSS JOIN LATERAL (
    SELECT
        array_agg(time) AS time,
        array_agg(captured_at) AS captured_at,
        array_agg(lat) AS lat,
        array_agg(lon) AS lon,
        array_agg(coalesce(speed_mps, 'NaN')) AS speed_mps,
        array_agg(coalesce(course_deg_true, 'NaN')) AS course_deg_true,
        array_agg(coalesce(accuracy_m, 'NaN')) AS accuracy_m
    FROM fix
    WHERE
        fix.device = k.device
        AND fix.time > k.since
        AND fix.time >= k.from_at
        AND fix.time < k.until_at
        AND fix.time > %(first)s
    HAVING count(*) > 0
) AS f;

-- former_names --
SELECT fence FROM visit
WHERE vehicle = any(%(vehicles)s::text []) AND entered_at = any(%(begun)s::timestamptz [])
UNION
SELECT coalesce(figures ->> 'shipment', subject) FROM alert
WHERE
    type IN ('shipment.late_predicted', 'vehicle.off_route', 'vehicle.unplanned_stop')
    AND opened_at = any(%(begun)s::timestamptz []);

-- put_states --
UPDATE vehicle_state AS s SET state = v.state
FROM (
    SELECT
        unnest(%(vehicles)s::text []) AS vehicle,
        unnest(%(written_by)s::xid []) AS written_by,
        unnest(%(states)s::bytea []) AS state
) AS v
WHERE s.vehicle = v.vehicle AND s.xmin = v.written_by;

-- put_progress --
UPDATE vehicle_state AS s SET
    state = v.state,
    fix_time = v.fix_time,
    captured_at = v.captured_at,
    lat = v.lat,
    lon = v.lon,
    speed_mps = nullif(v.speed_mps, 'NaN'),
    course_deg_true = nullif(v.course_deg_true, 'NaN'),
    motion = v.motion,
    at_fence = nullif(v.at_fence, ''),
    shipment = nullif(v.shipment, ''),
    next_stop = CASE WHEN v.has_outlook THEN v.next_stop END,
    remaining_m = CASE WHEN v.has_outlook THEN v.remaining_m END,
    eta = CASE WHEN v.has_outlook THEN v.eta END,
    eta_p10 = CASE WHEN v.has_outlook THEN v.eta_p10 END,
    eta_p90 = CASE WHEN v.has_outlook THEN v.eta_p90 END,
    window_end = CASE WHEN v.has_outlook THEN v.window_end END,
    late_s = CASE WHEN v.has_outlook THEN v.late_s END,
    eta_model = CASE WHEN v.has_outlook THEN v.eta_model END,
    off_route = v.off_route,
    under_way = v.under_way,
    trip_started_at = CASE WHEN v.is_on_trip THEN v.trip_started_at END,
    trip_m = CASE WHEN v.is_on_trip THEN v.trip_m END,
    silent_at = nullif(v.silent_at, '-infinity'),
    changed_at = greatest(clock_timestamp(), s.changed_at + interval '1 microsecond')
FROM (
    SELECT
        unnest(%(vehicles)s::text []) AS vehicle,
        unnest(%(written_by)s::xid []) AS written_by,
        unnest(%(states)s::bytea []) AS state,
        unnest(%(fix_time)s::timestamptz []) AS fix_time,
        unnest(%(captured_at)s::timestamptz []) AS captured_at,
        unnest(%(lat)s::float8 []) AS lat,
        unnest(%(lon)s::float8 []) AS lon,
        unnest(%(speed_mps)s::float8 []) AS speed_mps,
        unnest(%(course_deg_true)s::float8 []) AS course_deg_true,
        unnest(%(motion)s::text []) AS motion,
        unnest(%(at_fence)s::text []) AS at_fence,
        unnest(%(shipment)s::text []) AS shipment,
        unnest(%(has_outlook)s::boolean []) AS has_outlook,
        unnest(%(next_stop)s::integer []) AS next_stop,
        unnest(%(remaining_m)s::float8 []) AS remaining_m,
        unnest(%(eta)s::timestamptz []) AS eta,
        unnest(%(eta_p10)s::timestamptz []) AS eta_p10,
        unnest(%(eta_p90)s::timestamptz []) AS eta_p90,
        unnest(%(window_end)s::timestamptz []) AS window_end,
        unnest(%(late_s)s::float8 []) AS late_s,
        unnest(%(eta_model)s::text []) AS eta_model,
        unnest(%(off_route)s::boolean []) AS off_route,
        unnest(%(under_way)s::boolean []) AS under_way,
        unnest(%(is_on_trip)s::boolean []) AS is_on_trip,
        unnest(%(trip_started_at)s::timestamptz []) AS trip_started_at,
        unnest(%(trip_m)s::float8 []) AS trip_m,
        unnest(%(silent_at)s::timestamptz []) AS silent_at
) AS v
WHERE s.vehicle = v.vehicle AND s.xmin = v.written_by;

-- forget_progress --
UPDATE vehicle_state AS s SET
    fix_time = NULL,
    captured_at = NULL,
    lat = NULL,
    lon = NULL,
    speed_mps = NULL,
    course_deg_true = NULL,
    motion = 'unknown',
    at_fence = NULL,
    shipment = NULL,
    next_stop = NULL,
    remaining_m = NULL,
    eta = NULL,
    eta_p10 = NULL,
    eta_p90 = NULL,
    window_end = NULL,
    late_s = NULL,
    off_route = false,
    trip_started_at = NULL,
    trip_m = NULL,
    changed_at = greatest(clock_timestamp(), s.changed_at + interval '1 microsecond')
WHERE s.vehicle = any(%(vehicles)s::text []);

-- put_checkpoints --
INSERT INTO fold_checkpoint (vehicle, at, state)
SELECT c.vehicle, c.at, c.state
FROM unnest(%(vehicles)s::text [], %(at)s::timestamptz [], %(states)s::bytea [])
    AS c (vehicle, at, state)
ORDER BY c.vehicle, c.at
ON CONFLICT (vehicle, at) DO UPDATE SET state = excluded.state;

-- remove_checkpoints --
DELETE FROM fold_checkpoint AS c
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE c.vehicle = k.vehicle AND c.at > k.since;

-- remove_trips --
DELETE FROM trip AS t
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.decided_at > k.since;

-- reopen_trips --
UPDATE trip AS t SET
    ended_at = NULL, end_lat = NULL, end_lon = NULL, distance_m = NULL, ended_decided_at = NULL
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.ended_decided_at > k.since;

-- end_trips --
UPDATE trip AS t SET ended_at = k.since, ended_decided_at = k.since
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.ended_at IS NULL;

-- put_trips --
INSERT INTO trip AS t (
    vehicle, started_at, ended_at, start_lat, start_lon, end_lat, end_lon, distance_m, decided_at,
    ended_decided_at
)
SELECT
    r.vehicle,
    r.started_at,
    nullif(r.ended_at, '-infinity'),
    r.start_lat,
    r.start_lon,
    CASE WHEN r.ended_at > '-infinity' THEN r.end_lat END,
    CASE WHEN r.ended_at > '-infinity' THEN r.end_lon END,
    CASE WHEN r.ended_at > '-infinity' THEN r.distance_m END,
    r.decided_at,
    nullif(r.ended_decided_at, '-infinity')
FROM unnest(
    %(vehicles)s::text [], %(begin)s::timestamptz [], %(end)s::timestamptz [], %(lat)s::float8 [],
    %(lon)s::float8 [], %(end_lat)s::float8 [], %(end_lon)s::float8 [], %(distance_m)s::float8 [],
    %(decided)s::timestamptz [], %(end_decided)s::timestamptz []
) AS r (
    vehicle, started_at, ended_at, start_lat, start_lon, end_lat, end_lon, distance_m, decided_at,
    ended_decided_at
)
ON CONFLICT (vehicle, started_at) DO UPDATE SET
ended_at = excluded.ended_at,
start_lat = excluded.start_lat,
start_lon = excluded.start_lon,
end_lat = excluded.end_lat,
end_lon = excluded.end_lon,
distance_m = excluded.distance_m,
ended_decided_at = CASE
    WHEN excluded.ended_at = t.ended_at THEN t.ended_decided_at
    ELSE excluded.ended_decided_at
END;

-- remove_stops --
DELETE FROM vehicle_stop AS t
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.decided_at > k.since;

-- reopen_stops --
UPDATE vehicle_stop AS t SET departed_at = NULL, ended_decided_at = NULL
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.ended_decided_at > k.since;

-- end_stops --
UPDATE vehicle_stop AS t SET departed_at = k.since, ended_decided_at = k.since
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.departed_at IS NULL;

-- put_stops --
INSERT INTO vehicle_stop AS t (
    vehicle, arrived_at, departed_at, lat, lon, decided_at, ended_decided_at
)
SELECT
    r.vehicle,
    r.arrived_at,
    nullif(r.departed_at, '-infinity'),
    r.lat,
    r.lon,
    r.decided_at,
    nullif(r.ended_decided_at, '-infinity')
FROM unnest(
    %(vehicles)s::text [], %(begin)s::timestamptz [], %(end)s::timestamptz [], %(lat)s::float8 [],
    %(lon)s::float8 [], %(decided)s::timestamptz [], %(end_decided)s::timestamptz []
) AS r (vehicle, arrived_at, departed_at, lat, lon, decided_at, ended_decided_at)
ON CONFLICT (vehicle, arrived_at) DO UPDATE SET
departed_at = excluded.departed_at,
lat = excluded.lat,
lon = excluded.lon,
ended_decided_at = CASE
    WHEN excluded.departed_at = t.departed_at THEN t.ended_decided_at
    ELSE excluded.ended_decided_at
END;

-- remove_visits --
DELETE FROM visit AS t
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.decided_at > k.since;

-- reopen_visits --
UPDATE visit AS t SET exited_at = NULL, ended_decided_at = NULL
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.ended_decided_at > k.since;

-- end_visits --
UPDATE visit AS t SET exited_at = k.since, ended_decided_at = k.since
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.exited_at IS NULL;

-- put_visits --
INSERT INTO visit AS t (
    vehicle, fence, entered_at, exited_at, decided_at, ended_decided_at
)
SELECT
    r.vehicle,
    r.fence,
    r.entered_at,
    nullif(r.exited_at, '-infinity'),
    r.decided_at,
    nullif(r.ended_decided_at, '-infinity')
FROM unnest(
    %(vehicles)s::text [], %(names)s::text [], %(begin)s::timestamptz [], %(end)s::timestamptz [],
    %(decided)s::timestamptz [], %(end_decided)s::timestamptz []
) AS r (vehicle, fence, entered_at, exited_at, decided_at, ended_decided_at)
ON CONFLICT (vehicle, fence, entered_at) DO UPDATE SET
exited_at = excluded.exited_at,
ended_decided_at = CASE
    WHEN excluded.exited_at = t.exited_at THEN t.ended_decided_at
    ELSE excluded.ended_decided_at
END;

-- remove_arrivals --
DELETE FROM stop_arrival AS t
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.decided_at > k.since;

-- put_arrivals --
INSERT INTO stop_arrival AS t (
    shipment, seq, vehicle, arrived_at, decided_at
)
SELECT r.shipment, r.seq, r.vehicle, r.arrived_at, r.decided_at
FROM unnest(
    %(names)s::text [], %(number)s::integer [], %(vehicles)s::text [], %(begin)s::timestamptz [],
    %(decided)s::timestamptz []
) AS r (shipment, seq, vehicle, arrived_at, decided_at)
ON CONFLICT (shipment, seq) DO UPDATE SET
vehicle = excluded.vehicle,
arrived_at = excluded.arrived_at;
