-- Vehicles that are overdue, told while they are: the fold said from when on (vehicle_state.silent_at). decided_at is
-- infinity as long as no fold has told of the silence; what the fold says then has the same name and takes the row's place.

-- overdue --
SELECT
    s.vehicle,
    s.fix_time,
    s.lat,
    s.lon,
    extract(EPOCH FROM s.silent_at - s.fix_time)::float8 AS limit_s,
    coalesce(v.plate, s.vehicle) AS plate,
    v.home_site,
    sh.from_site AS shipment_site,
    coalesce(site.time_zone, 'UTC') AS time_zone
FROM vehicle_state AS s
LEFT JOIN vehicle AS v ON s.vehicle = v.vehicle
LEFT JOIN shipment AS sh ON s.shipment = sh.shipment
LEFT JOIN site ON site.site = coalesce(v.home_site, sh.from_site)
WHERE
    s.silent_at <= now()
    AND s.silent_at > now() - make_interval(secs => %(age_s_max)s)
    AND NOT EXISTS (
        SELECT FROM alert AS a
        WHERE a.type = 'gps.silent' AND a.subject = s.vehicle AND a.opened_at = s.fix_time
    )
ORDER BY s.silent_at
LIMIT %(vehicles_max)s;

-- raise --
INSERT INTO alert (
    alert_id, type, severity, site, subject, opened_at, figures, orders, recorded_at, changed_at, decided_at
)
VALUES (
    %(alert_id)s, 'gps.silent', %(severity)s, %(site)s, %(subject)s, %(opened_at)s, %(figures)s, '{}',
    clock_timestamp(), clock_timestamp(), 'infinity'
)
ON CONFLICT (alert_id) DO NOTHING
RETURNING alert_id;

-- heard_again --
-- A fix came that is later, or one that came late says that the vehicle stands and may sleep. Where the fold found the
-- silence, it has ended the episode already; where it didn't (the tracker had kept its fixes), there was none.
DELETE FROM alert AS a
USING vehicle_state AS s
WHERE
    a.type = 'gps.silent'
    AND a.cleared_at IS NULL
    AND a.decided_at = 'infinity'
    AND a.subject = s.vehicle
    AND (%(vehicles)s::text [] IS NULL OR a.subject = any(%(vehicles)s::text []))
    AND (s.fix_time IS DISTINCT FROM a.opened_at OR s.silent_at IS NULL OR s.silent_at > now())
RETURNING a.alert_id;
