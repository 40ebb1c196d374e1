-- Alerts that the worker raises: conditions found by looking, not by a reading. The query named as a
-- type tells the subjects for which its condition holds at this moment.

-- gateway_silent --
SELECT
    s.site || '/' || s.gateway AS subject,
    s.site,
    s.received_at + make_interval(secs => %(lease_s)s) AS opened_at,
    jsonb_build_object('last_seen', to_char(s.reported_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS figures
FROM gateway_status AS s
INNER JOIN gateway USING (site, gateway)
WHERE s.received_at < now() - make_interval(secs => %(lease_s)s);

-- ingest_dead_letter --
SELECT
    split_part(d.topic, '/', 3) || '/' || split_part(d.topic, '/', 4) AS subject,
    split_part(d.topic, '/', 3) AS site,
    min(d.received_at) AS opened_at,
    jsonb_build_object('count', count(*), 'reason', left((array_agg(d.reason ORDER BY d.received_at DESC))[1], 200))
        AS figures
FROM dead_letter AS d
WHERE
    d.received_at > now() - make_interval(secs => %(window_s)s)
    AND d.topic LIKE 'waystock/v1/%%/%%/%%'
GROUP BY 1, 2
ORDER BY 3
LIMIT %(subjects_max)s;

-- system_dead_letters --
SELECT
    'dead-letters' AS subject,
    NULL AS site,
    (SELECT min(received_at) FROM dead_letter) AS opened_at,
    jsonb_strip_nulls(jsonb_build_object(
        'count', waiting.count,
        'more', CASE WHEN waiting.count = %(counted_max)s THEN 1 END,
        'reason', left(split_part(newest.reason, E'\n', 1), 200),
        'gateway', CASE
            WHEN newest.topic ~ '^waystock/v1/[a-z0-9-]+/[a-z0-9-]+/events$'
                THEN split_part(newest.topic, '/', 3) || '/' || split_part(newest.topic, '/', 4)
        END
    )) AS figures
FROM (SELECT topic, reason FROM dead_letter ORDER BY received_at DESC, dead_letter_id DESC LIMIT 1) AS newest
CROSS JOIN (
    SELECT count(*) AS count FROM (SELECT FROM dead_letter LIMIT %(counted_max)s) AS counted
) AS waiting;

-- dock_wrong_vehicle --
-- As is_wrong_vehicle of yard.sql: at a door that is another one's now, and was not its own since it came.
SELECT
    v.vehicle AS subject,
    f.site,
    stay.entered_at AS opened_at,
    jsonb_build_object(
        'vehicle', v.vehicle,
        'plate', v.plate,
        'door', f.location,
        'expected_vehicle', due.vehicle,
        'expected_plate', due.plate,
        'shipment', due.shipment,
        'time_zone', site.time_zone
    ) AS figures
FROM vehicle AS v
CROSS JOIN LATERAL (
    SELECT w.fence, w.entered_at FROM visit AS w
    WHERE w.vehicle = v.vehicle AND w.exited_at IS NULL
) AS stay
INNER JOIN fence AS f ON stay.fence = f.fence AND f.kind = 'dock' AND f.location IS NOT NULL
INNER JOIN site USING (site)
CROSS JOIN LATERAL (
    SELECT sh.vehicle, sh.shipment, other.plate
    FROM shipment AS sh
    INNER JOIN vehicle AS other USING (vehicle)
    WHERE
        sh.dock_door = f.location
        AND sh.door_from <= now()
        AND sh.door_to > CASE WHEN sh.vehicle = v.vehicle THEN stay.entered_at ELSE now() END
        AND (sh.closed_at IS NULL OR sh.closed_at > now())
    ORDER BY sh.vehicle <> v.vehicle, sh.door_from, sh.shipment
    LIMIT 1
) AS due
WHERE
    EXISTS (SELECT 1 FROM fence AS any_dock WHERE any_dock.kind = 'dock' AND any_dock.location IS NOT NULL)
    AND due.vehicle <> v.vehicle
ORDER BY v.vehicle, stay.entered_at
LIMIT %(subjects_max)s;

-- open --
SELECT
    subject,
    alert_id
FROM alert
WHERE type = %(type)s AND cleared_at IS NULL;

-- raise --
INSERT INTO alert (
    alert_id, type, severity, site, subject, opened_at, figures, orders, recorded_at, changed_at, decided_at
)
VALUES (
    %(alert_id)s, %(type)s, %(severity)s, %(site)s, %(subject)s, %(opened_at)s, %(figures)s, %(orders)s::text [],
    clock_timestamp(), clock_timestamp(), %(opened_at)s
)
ON CONFLICT (alert_id) DO UPDATE
    SET cleared_at = NULL, figures = excluded.figures, changed_at = clock_timestamp();

-- refresh --
UPDATE alert SET
    figures = %(figures)s,
    changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond')
WHERE alert_id = %(alert_id)s AND figures <> %(figures)s;

-- clear --
UPDATE alert SET
    cleared_at = now(),
    figures = CASE WHEN type LIKE 'shipment.%%' THEN figures || '{"ended": "over"}' ELSE figures END,
    changed_at = clock_timestamp()
WHERE alert_id = any(%(alert_ids)s::text []);

-- shipment_late_departure --
-- Due to leave, and not seen on its way; what is not known of the vehicle is told as such. It leaves once: an alert that was
-- cleared stays so.
SELECT
    s.shipment AS subject,
    s.from_site AS site,
    s.depart_at + make_interval(secs => %(grace_s)s) AS opened_at,
    jsonb_strip_nulls(jsonb_build_object(
        'vehicle', s.vehicle,
        'plate', v.plate,
        'site_en', site.name ->> 'en',
        'site_zh', site.name ->> 'zh',
        'time_zone', site.time_zone,
        'depart_at', to_char(s.depart_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'busy_with', nullif(state.shipment, s.shipment),
        'last_seen', CASE
            WHEN coalesce(state.fix_time, '-infinity') < now() - make_interval(secs => %(unknown_s)s)
                THEN coalesce(to_char(state.fix_time, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'never')
        END,
        'units', goods.units,
        'pallets', goods.pallets
    )) AS figures,
    goods.orders
FROM shipment AS s
INNER JOIN vehicle AS v USING (vehicle)
INNER JOIN site ON s.from_site = site.site
LEFT JOIN vehicle_state AS state ON s.vehicle = state.vehicle
CROSS JOIN LATERAL goods_of_stop(s.shipment, NULL) AS goods
WHERE
    s.depart_at < now() - make_interval(secs => %(grace_s)s)
    AND s.depart_at > now() - interval '1 day'
    AND coalesce(s.closed_at > now(), true)
    AND NOT coalesce(state.shipment = s.shipment AND state.under_way, false)
    -- Without a route nobody knows how far it is; a trip begun since then is its departure.
    AND NOT (
        jsonb_array_length(s.route) < 2
        AND EXISTS (
            SELECT 1 FROM trip AS t
            WHERE t.vehicle = s.vehicle AND t.started_at > s.depart_at - interval '2 hours'
        )
    )
    AND NOT EXISTS (SELECT 1 FROM stop_arrival AS a WHERE a.shipment = s.shipment)
    AND NOT EXISTS (
        SELECT 1 FROM alert AS a
        WHERE a.type = 'shipment.late_departure' AND a.subject = s.shipment AND a.cleared_at IS NOT NULL
    )
ORDER BY s.depart_at, s.shipment
LIMIT %(subjects_max)s;

-- shipment_stop_missed --
-- A later stop was reached, this one was not.
SELECT
    s.shipment || '/' || t.seq AS subject,
    s.from_site AS site,
    later.arrived_at AS opened_at,
    jsonb_strip_nulls(jsonb_build_object(
        'shipment', s.shipment,
        'seq', t.seq,
        'vehicle', s.vehicle,
        'plate', v.plate,
        'destination_en', t.name ->> 'en',
        'destination_zh', t.name ->> 'zh',
        'time_zone', site.time_zone,
        'window_end', to_char(t.window_end, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'units', goods.units,
        'pallets', goods.pallets
    )) AS figures,
    goods.orders
FROM shipment AS s
INNER JOIN vehicle AS v USING (vehicle)
INNER JOIN site ON s.from_site = site.site
INNER JOIN shipment_stop AS t USING (shipment)
CROSS JOIN LATERAL (
    SELECT min(a.arrived_at) AS arrived_at FROM stop_arrival AS a
    WHERE a.shipment = s.shipment AND a.seq > t.seq
) AS later
CROSS JOIN LATERAL goods_of_stop(s.shipment, t.seq) AS goods
WHERE
    s.depart_at > now() - interval '3 days'
    AND later.arrived_at IS NOT NULL
    AND coalesce(s.closed_at > now(), true)
    AND NOT EXISTS (SELECT 1 FROM stop_arrival AS a WHERE a.shipment = s.shipment AND a.seq = t.seq)
ORDER BY later.arrived_at, s.shipment, t.seq
LIMIT %(subjects_max)s;

-- shipment_no_show --
-- The window is long over, and it is not seen on its way there: nobody knows when it comes. Of each shipment the next stop.
SELECT
    s.shipment || '/' || t.seq AS subject,
    s.from_site AS site,
    t.window_end + make_interval(secs => %(no_show_s)s) AS opened_at,
    jsonb_strip_nulls(jsonb_build_object(
        'shipment', s.shipment,
        'seq', t.seq,
        'vehicle', s.vehicle,
        'plate', v.plate,
        'destination_en', t.name ->> 'en',
        'destination_zh', t.name ->> 'zh',
        'time_zone', site.time_zone,
        'window_end', to_char(t.window_end, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'last_seen', coalesce(to_char(state.fix_time, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'never'),
        'units', goods.units,
        'pallets', goods.pallets
    )) AS figures,
    goods.orders
FROM shipment AS s
INNER JOIN vehicle AS v USING (vehicle)
INNER JOIN site ON s.from_site = site.site
LEFT JOIN vehicle_state AS state ON s.vehicle = state.vehicle
CROSS JOIN LATERAL (
    SELECT n.seq, n.name, n.window_end FROM shipment_stop AS n
    WHERE
        n.shipment = s.shipment
        AND n.seq > coalesce((SELECT max(a.seq) FROM stop_arrival AS a WHERE a.shipment = s.shipment), -1)
    ORDER BY n.seq
    LIMIT 1
) AS t
CROSS JOIN LATERAL goods_of_stop(s.shipment, t.seq) AS goods
WHERE
    s.depart_at > now() - interval '3 days'
    AND t.window_end < now() - make_interval(secs => %(no_show_s)s)
    AND t.window_end > now() - interval '1 day'
    AND coalesce(s.closed_at > now(), true)
    AND NOT coalesce(
        state.shipment = s.shipment AND (state.under_way OR jsonb_array_length(s.route) < 2)
        AND state.fix_time > now() - make_interval(secs => %(unknown_s)s),
        false
    )
ORDER BY t.window_end, s.shipment
LIMIT %(subjects_max)s;
