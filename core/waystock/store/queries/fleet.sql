-- The fleet fold's state, its checkpoints and its rows.

-- register_vehicles --
INSERT INTO vehicle_state (vehicle)
SELECT k FROM unnest(%(vehicles)s::text []) AS k ORDER BY k
ON CONFLICT (vehicle) DO NOTHING;

-- lock_vehicles --
SELECT vehicle, fold FROM vehicle_state
WHERE vehicle = any(%(vehicles)s::text []) ORDER BY vehicle FOR UPDATE;

-- checkpoints_before --
SELECT k.vehicle, c.fold
FROM unnest(%(vehicles)s::text [], %(before)s::timestamptz []) AS k (vehicle, before)
INNER JOIN LATERAL (
    SELECT fold FROM vehicle_checkpoint
    WHERE vehicle = k.vehicle AND at < k.before
    ORDER BY at DESC
    LIMIT 1
) AS c ON true;

-- fixes_since --
SELECT
    k.vehicle, f.time, f.device, f.lat, f.lon, f.speed_mps, f.course_deg_true, f.accuracy_m,
    f.captured_at, f.quality
FROM unnest(%(vehicles)s::text [], %(devices)s::text [], %(since)s::timestamptz [])
    AS k (vehicle, device, since)
INNER JOIN fix AS f ON f.device = k.device AND f.time > k.since
WHERE f.time > %(first)s
ORDER BY k.vehicle, f.time, f.device, f.lat, f.lon;

-- remove_checkpoints --
DELETE FROM vehicle_checkpoint AS c
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE c.vehicle = k.vehicle AND c.at > k.since;

-- put_checkpoints --
INSERT INTO vehicle_checkpoint (vehicle, at, fold)
SELECT c.vehicle, c.at, c.fold
FROM jsonb_to_recordset(%(rows)s) AS c (vehicle text, at timestamptz, fold jsonb)
ORDER BY c.vehicle, c.at
ON CONFLICT (vehicle, at) DO UPDATE SET fold = excluded.fold;

-- put_states --
UPDATE vehicle_state AS s SET fold = v.fold
FROM jsonb_to_recordset(%(rows)s) AS v (vehicle text, fold jsonb)
WHERE s.vehicle = v.vehicle;

-- put_progress --
UPDATE vehicle_state AS s SET
    fix_time = v.fix_time,
    captured_at = v.captured_at,
    lat = v.lat,
    lon = v.lon,
    speed_mps = v.speed_mps,
    course_deg_true = v.course_deg_true,
    motion = v.motion,
    at_fence = v.at_fence,
    shipment = v.shipment,
    next_stop = v.next_stop,
    remaining_m = v.remaining_m,
    eta = v.eta,
    eta_p10 = v.eta_p10,
    eta_p90 = v.eta_p90,
    window_end = v.window_end,
    late_s = v.late_s,
    off_route = v.off_route,
    changed_at = greatest(clock_timestamp(), s.changed_at + interval '1 microsecond')
FROM jsonb_to_recordset(%(rows)s) AS v (
    vehicle text, fix_time timestamptz, captured_at timestamptz, lat float8, lon float8,
    speed_mps real, course_deg_true real, motion text, at_fence text, shipment text,
    next_stop integer, remaining_m float8, eta timestamptz, eta_p10 timestamptz,
    eta_p90 timestamptz, window_end timestamptz, late_s float8, off_route boolean
)
WHERE s.vehicle = v.vehicle;

-- remove_trips --
DELETE FROM trip AS t
USING unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.decided_at > k.since;

-- reopen_trips --
UPDATE trip AS t SET ended_at = NULL, ended_decided_at = NULL
FROM unnest(%(vehicles)s::text [], %(since)s::timestamptz []) AS k (vehicle, since)
WHERE t.vehicle = k.vehicle AND t.ended_decided_at > k.since;

-- put_trips --
INSERT INTO trip AS t (
    vehicle, started_at, ended_at, start_lat, start_lon, end_lat, end_lon, distance_m, decided_at, ended_decided_at
)
SELECT
    r.vehicle, r.started_at, r.ended_at, r.start_lat, r.start_lon, r.end_lat, r.end_lon, r.distance_m, r.decided_at, r.ended_decided_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    vehicle text, started_at timestamptz, ended_at timestamptz, start_lat float8, start_lon float8, end_lat float8, end_lon float8, distance_m float8, decided_at timestamptz, ended_decided_at timestamptz
)
ON CONFLICT (vehicle, started_at) DO UPDATE SET
ended_at = excluded.ended_at,
start_lat = excluded.start_lat,
start_lon = excluded.start_lon,
end_lat = excluded.end_lat,
end_lon = excluded.end_lon,
distance_m = excluded.distance_m,
ended_decided_at = CASE
    WHEN excluded.ended_at IS NULL THEN NULL
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

-- put_stops --
INSERT INTO vehicle_stop AS t (
    vehicle, arrived_at, departed_at, lat, lon, decided_at, ended_decided_at
)
SELECT
    r.vehicle, r.arrived_at, r.departed_at, r.lat, r.lon, r.decided_at, r.ended_decided_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    vehicle text, arrived_at timestamptz, departed_at timestamptz, lat float8, lon float8, decided_at timestamptz, ended_decided_at timestamptz
)
ON CONFLICT (vehicle, arrived_at) DO UPDATE SET
departed_at = excluded.departed_at,
lat = excluded.lat,
lon = excluded.lon,
ended_decided_at = CASE
    WHEN excluded.departed_at IS NULL THEN NULL
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

-- put_visits --
INSERT INTO visit AS t (
    vehicle, fence, entered_at, exited_at, decided_at, ended_decided_at
)
SELECT
    r.vehicle, r.fence, r.entered_at, r.exited_at, r.decided_at, r.ended_decided_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    vehicle text, fence text, entered_at timestamptz, exited_at timestamptz, decided_at timestamptz, ended_decided_at timestamptz
)
ON CONFLICT (vehicle, fence, entered_at) DO UPDATE SET
exited_at = excluded.exited_at,
ended_decided_at = CASE
    WHEN excluded.exited_at IS NULL THEN NULL
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
SELECT
    r.shipment, r.seq, r.vehicle, r.arrived_at, r.decided_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    shipment text, seq integer, vehicle text, arrived_at timestamptz, decided_at timestamptz
)
ON CONFLICT (shipment, seq) DO UPDATE SET
vehicle = excluded.vehicle,
arrived_at = excluded.arrived_at;
