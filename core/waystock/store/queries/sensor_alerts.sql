-- Alerts of sensors out of their band, from the raw readings around those that are new.

-- running --
-- The spell that is told of already and was not over when the first new reading was measured.
SELECT k.place, a.opened_at, (a.figures ->> 'value')::float8 AS worst, a.captured_at
FROM unnest(
    %(types)s::text [], %(vehicles)s::text [], %(devices)s::text [], %(first)s::timestamptz []
) WITH ORDINALITY AS k (type, vehicle, device, first, place)
CROSS JOIN LATERAL (
    SELECT opened_at, figures, captured_at
    FROM alert
    WHERE
        alert.type = k.type AND alert.subject = k.vehicle
        AND alert.opened_at <= k.first
        AND (alert.cleared_at IS NULL OR alert.cleared_at >= k.first)
        AND alert.figures ->> 'device' = k.device
    ORDER BY alert.opened_at DESC
    LIMIT 1
) AS a;

-- windows --
-- From the last reading inside the band before the new ones to the first one inside after them.
SELECT
    k.place,
    coalesce(
        (
            SELECT max(r.time) FROM telemetry_reading AS r
            WHERE
                r.device = k.device AND r.time < k.first AND r.time >= k.floor
                AND (r.measured ->> k.measure)::float8 >= k.low
                AND (r.measured ->> k.measure)::float8 <= k.high
        ),
        k.floor
    ) AS from_at,
    coalesce(
        (
            SELECT min(r.time) FROM telemetry_reading AS r
            WHERE
                r.device = k.device AND r.time > k.last
                AND (r.measured ->> k.measure)::float8 >= k.low
                AND (r.measured ->> k.measure)::float8 <= k.high
        ),
        '9999-01-01Z'
    ) AS until_at
FROM unnest(
    %(devices)s::text [], %(measures)s::text [], %(low)s::float8 [], %(high)s::float8 [],
    %(first)s::timestamptz [], %(last)s::timestamptz [], %(floor)s::timestamptz []
) WITH ORDINALITY AS k (device, measure, low, high, first, last, floor, place);

-- readings --
SELECT k.place, r.time, r.captured_at, (r.measured ->> k.measure)::float8 AS value
FROM unnest(
    %(devices)s::text [], %(measures)s::text [], %(from)s::timestamptz [], %(until)s::timestamptz []
) WITH ORDINALITY AS k (device, measure, from_at, until_at, place)
INNER JOIN telemetry_reading AS r
    ON r.device = k.device AND r.time >= k.from_at AND r.time <= k.until_at AND r.measured ? k.measure
ORDER BY k.place, r.time, value, r.captured_at;

-- trips --
SELECT k.place, t.started_at, t.ended_at
FROM unnest(%(vehicles)s::text [], %(from)s::timestamptz [], %(until)s::timestamptz []) WITH ORDINALITY
    AS k (vehicle, from_at, until_at, place)
INNER JOIN trip AS t
    ON
        t.vehicle = k.vehicle AND t.started_at <= k.until_at
        AND (t.ended_at IS NULL OR t.ended_at >= k.from_at)
ORDER BY k.place, t.started_at;

-- withdraw --
DELETE FROM alert AS a
USING unnest(
    %(types)s::text [], %(vehicles)s::text [], %(devices)s::text [],
    %(from)s::timestamptz [], %(until)s::timestamptz []
) AS k (type, vehicle, device, from_at, until_at)
WHERE
    a.type = k.type AND a.subject = k.vehicle AND a.figures ->> 'device' = k.device
    AND a.opened_at >= k.from_at AND a.opened_at <= k.until_at
    AND a.alert_id <> ALL(%(said)s::text [])
RETURNING a.alert_id;
