-- Who stands in the yard. Filters, %(after)s and %(limit)s as in api.sql; %(at)s is now, %(free_time_s)s what a dock
-- gives where its fence says nothing.

-- yard --
SELECT
    f.site,
    place.fence,
    place.name,
    place.kind,
    coalesce(place.location, due.dock_door) AS door,
    CASE
        WHEN place.location IS NOT NULL THEN 'fence'
        WHEN due.dock_door IS NOT NULL THEN 'plan'
    END AS door_by,
    v.vehicle,
    v.plate,
    drawn.trailer,
    driving.driver,
    coalesce(s.motion, 'unknown') AS motion,
    s.fix_time,
    place.entered_at AS since,
    f.entered_at AS on_site_since,
    clock.free_s,
    CASE WHEN clock.free_s IS NOT NULL THEN greatest(clock.free_s - clock.stood_s, 0) END AS free_left_s,
    CASE WHEN clock.free_s IS NOT NULL THEN greatest(clock.stood_s - clock.free_s, 0) END AS detained_s,
    coalesce(inbound.shipment, outbound.shipment) AS shipment,
    CASE
        WHEN inbound.shipment IS NOT NULL THEN 'unload'
        WHEN outbound.shipment IS NOT NULL THEN 'load'
    END AS purpose,
    CASE WHEN inbound.shipment IS NULL THEN outbound.dock_door END AS planned_door,
    expected.vehicle AS expected_vehicle,
    expected.shipment AS expected_shipment,
    coalesce(expected.vehicle <> v.vehicle, false) AS is_wrong_vehicle
FROM vehicle AS v
LEFT JOIN vehicle_state AS s USING (vehicle)
-- Since when it has been at the site at all: the fence of the site, or of a part of it, that it entered first.
CROSS JOIN LATERAL (
    SELECT here.site, min(w.entered_at) AS entered_at
    FROM visit AS w
    INNER JOIN fence AS here USING (fence)
    WHERE
        w.vehicle = v.vehicle
        AND w.exited_at IS NULL
        AND here.site IS NOT NULL
        AND here.kind IN ('site', 'yard', 'dock')
        AND (%(site)s::text IS NULL OR here.site = %(site)s)
    GROUP BY here.site
    ORDER BY max(w.entered_at) DESC, here.site
    LIMIT 1
) AS f
-- The part of the site that it stands in: a dock before a yard before the whole.
CROSS JOIN LATERAL (
    SELECT w.fence, w.entered_at, here.name, here.kind, here.location
    FROM visit AS w
    INNER JOIN fence AS here USING (fence)
    WHERE
        w.vehicle = v.vehicle
        AND w.exited_at IS NULL
        AND here.site = f.site
        AND here.kind IN ('site', 'yard', 'dock')
    ORDER BY array_position('{dock,yard,site}'::text [], here.kind), w.entered_at DESC, w.fence
    LIMIT 1
) AS place
-- The clock that runs: of the fences with a limit the one whose time is up first.
LEFT JOIN LATERAL (
    SELECT
        limited.free_s,
        extract(EPOCH FROM %(at)s - limited.entered_at)::float8 AS stood_s
    FROM (
        SELECT
            w.entered_at,
            coalesce(here.dwell_limit_s, CASE WHEN here.kind = 'dock' THEN %(free_time_s)s::float8 END)
                AS free_s
        FROM visit AS w
        INNER JOIN fence AS here USING (fence)
        WHERE w.vehicle = v.vehicle AND w.exited_at IS NULL AND here.site = f.site
    ) AS limited
    WHERE limited.free_s IS NOT NULL
    ORDER BY limited.entered_at + make_interval(secs => limited.free_s)
    LIMIT 1
) AS clock ON true
-- It came for a stop of its shipment that is at this site …
LEFT JOIN LATERAL (
    SELECT t.shipment
    FROM stop_arrival AS r
    INNER JOIN shipment_stop AS t USING (shipment, seq)
    INNER JOIN fence AS here ON t.fence = here.fence
    INNER JOIN shipment AS sh ON t.shipment = sh.shipment
    WHERE
        sh.vehicle = v.vehicle
        AND r.vehicle = v.vehicle
        AND here.site = f.site
        AND r.arrived_at >= f.entered_at
    ORDER BY r.arrived_at DESC, t.shipment
    LIMIT 1
) AS inbound ON true
-- … or to take one on that has not left since it came.
LEFT JOIN LATERAL (
    SELECT sh.shipment, sh.dock_door, sh.door_from, sh.door_to
    FROM shipment AS sh
    WHERE
        sh.vehicle = v.vehicle
        AND sh.from_site = f.site
        AND (sh.closed_at IS NULL OR sh.closed_at > %(at)s)
        AND greatest(sh.door_to, sh.depart_at) >= f.entered_at
    ORDER BY coalesce(sh.door_from, sh.depart_at), sh.shipment
    LIMIT 1
) AS outbound ON true
LEFT JOIN LATERAL (
    SELECT outbound.dock_door
    WHERE
        place.location IS NULL
        AND inbound.shipment IS NULL
        AND s.motion = 'stopped'
        AND outbound.door_from <= %(at)s
        AND outbound.door_to > %(at)s
) AS due ON true
-- Whom the plan has at the door that it stands at. A vehicle that has not left though its time is over is late, not wrong.
LEFT JOIN LATERAL (
    SELECT sh.vehicle, sh.shipment
    FROM shipment AS sh
    WHERE
        sh.dock_door = place.location
        AND sh.door_from <= %(at)s
        AND sh.door_to > CASE WHEN sh.vehicle = v.vehicle THEN place.entered_at ELSE %(at)s END
        AND (sh.closed_at IS NULL OR sh.closed_at > %(at)s)
    ORDER BY sh.vehicle <> v.vehicle, sh.door_from, sh.shipment
    LIMIT 1
) AS expected ON true
LEFT JOIN assignment AS drawn
    ON v.vehicle = drawn.vehicle AND drawn.trailer IS NOT NULL AND drawn.during @> %(at)s
LEFT JOIN assignment AS driving
    ON v.vehicle = driving.vehicle AND driving.driver IS NOT NULL AND driving.during @> %(at)s
WHERE
    (%(vehicle)s::text IS NULL OR v.vehicle = %(vehicle)s)
    AND (
        %(door)s::text IS NULL
        OR coalesce(place.location, due.dock_door) = %(door)s
    )
    AND (%(after)s::text [] IS NULL OR v.vehicle > (%(after)s::text [])[1])
ORDER BY v.vehicle
LIMIT %(limit)s;
