-- What the reports of the fleet need (docs/reports.md, docs/decisions/0015): who runs a vehicle, what waiting costs, and
-- where a vehicle was at an instant.

-- No foreign key: code from before writes this table and knows of none. The import looks after it.
ALTER TABLE vehicle ADD COLUMN carrier text;
COMMENT ON COLUMN vehicle.carrier IS 'The party that runs the vehicle; NULL: not told.';

CREATE TABLE detention_rate (
    detention_rate_id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    customer text REFERENCES party,
    carrier text REFERENCES party,
    site text REFERENCES site,
    free_s double precision CHECK (free_s >= 0),
    rate_per_h numeric(12, 2) NOT NULL CHECK (rate_per_h >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    UNIQUE NULLS NOT DISTINCT (customer, carrier, site)
);
COMMENT ON TABLE detention_rate IS
    'What a stay beyond its free time costs. NULL in customer, carrier or site: whichever; all three NULL: the one for all.';
COMMENT ON COLUMN detention_rate.free_s IS 'NULL: what the fence allows, else two hours.';

-- Visits and where a vehicle was, by when it came. Stops due in a period, for all vehicles.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX visit_vehicle_entered ON visit (vehicle, entered_at);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX shipment_stop_window_end ON shipment_stop (window_end);

-- The odometer at midnight: two readings beside it, not all telemetry of the day. Costs what comes without one nothing.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX telemetry_reading_odometer ON telemetry_reading (device, time) WHERE measured ? 'odometer_m';

CREATE FUNCTION vehicle_place_at(of_vehicle text, at timestamptz)
RETURNS TABLE (fence text, name jsonb, kind text, site text, entered_at timestamptz)
LANGUAGE sql STABLE AS $$
SELECT f.fence, f.name, f.kind, f.site, w.entered_at
FROM (
    SELECT o.fence, o.entered_at, o.exited_at
    FROM visit AS o
    WHERE o.vehicle = of_vehicle AND o.entered_at <= at
    ORDER BY o.entered_at DESC
    LIMIT 8
) AS w
INNER JOIN fence AS f USING (fence)
WHERE w.exited_at IS NULL OR w.exited_at >= at
ORDER BY f.kind IN ('site', 'customer') DESC, w.entered_at DESC, f.fence
LIMIT 1
$$;
COMMENT ON FUNCTION vehicle_place_at IS
    'The fence a vehicle was in, of a site or customer rather than a zone; looked for among the last eight it came into.';

CREATE FUNCTION vehicle_run_at(of_vehicle text, at timestamptz, expire_s double precision)
RETURNS TABLE (shipment text, site text)
LANGUAGE sql STABLE AS $$
SELECT
    (array_agg(begun.shipment ORDER BY begun.depart_at DESC, begun.shipment) FILTER (WHERE begun.is_under_way))[1],
    (array_agg(begun.from_site ORDER BY begun.depart_at DESC, begun.shipment))[1]
FROM (
    SELECT
        sh.shipment,
        sh.from_site,
        sh.depart_at,
        (sh.closed_at IS NULL OR sh.closed_at > at)
        AND at < make_interval(secs => expire_s) + coalesce(
            (SELECT max(o.window_end) FROM shipment_stop AS o WHERE o.shipment = sh.shipment), sh.depart_at
        )
        AND NOT EXISTS (
            SELECT 1 FROM stop_arrival AS a
            WHERE
                a.shipment = sh.shipment
                AND a.arrived_at <= at
                AND a.seq = (SELECT max(o.seq) FROM shipment_stop AS o WHERE o.shipment = sh.shipment)
        ) AS is_under_way
    FROM (
        SELECT s.*
        FROM shipment AS s
        WHERE
            s.vehicle = of_vehicle
            AND s.depart_at < at + interval '1 day'
            AND coalesce(s.door_from, s.depart_at) <= at
        ORDER BY s.depart_at DESC, s.shipment
        LIMIT 4
    ) AS sh
) AS begun
$$;
COMMENT ON FUNCTION vehicle_run_at IS
    'The shipment under way (docs/questions.md), and the site that the vehicle''s last one by then left from; looked for among the last four begun.';

CREATE FUNCTION odometer_at(of_device text, at timestamptz, last_fix timestamptz)
RETURNS double precision
LANGUAGE sql STABLE AS $$
SELECT
    CASE
        -- Nothing after it: it counts if the vehicle has not been heard of since either.
        WHEN next.m IS NULL AND last_fix > previous.time + interval '30 min' THEN NULL
        WHEN next.m IS NULL THEN previous.m
        WHEN next.m < previous.m THEN NULL
        WHEN next.m - previous.m > 1000 AND next.time - previous.time > interval '30 min' THEN NULL
        ELSE
            previous.m + (next.m - previous.m)
            * extract(EPOCH FROM at - previous.time) / extract(EPOCH FROM next.time - previous.time)
    END::double precision
FROM (
    SELECT
        r.time,
        (r.measured ->> 'odometer_m')::double precision AS m
    FROM telemetry_reading AS r
    WHERE r.device = of_device AND r.time <= at AND r.measured ? 'odometer_m'
    ORDER BY r.time DESC
    LIMIT 1
) AS previous
LEFT JOIN LATERAL (
    SELECT
        r.time,
        (r.measured ->> 'odometer_m')::double precision AS m
    FROM telemetry_reading AS r
    WHERE r.device = of_device AND r.time > at AND r.measured ? 'odometer_m'
    ORDER BY r.time
    LIMIT 1
) AS next ON true
$$;
COMMENT ON FUNCTION odometer_at IS
    'Metres at an instant, between the readings beside it; NULL where they don''t tell: none before, set back, or far apart and driven between.';
