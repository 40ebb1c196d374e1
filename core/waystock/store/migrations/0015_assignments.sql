-- Who and what is on which vehicle, and from when until when: trackers, drivers, trailers (docs/decisions/0013).
-- What is here only adds. device.vehicle stays what the master-data document said last: code from before reads it.

CREATE TABLE driver (
    driver text PRIMARY KEY,
    name text NOT NULL,
    licence text,
    phone text
);

CREATE TABLE trailer (
    trailer text PRIMARY KEY,
    plate text NOT NULL,
    kind text NOT NULL
);

ALTER TABLE fence ADD COLUMN location text;
COMMENT ON COLUMN fence.location IS 'The dock door that the fence is drawn around.';

-- A range of one text: an exclusion constraint compares texts by it without the extension btree_gist, which the embedded
-- PostgreSQL does not have.
CREATE TYPE code_range AS RANGE (SUBTYPE = text, COLLATION = "C");

CREATE TABLE assignment (
    assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device text REFERENCES device,
    driver text REFERENCES driver,
    trailer text REFERENCES trailer,
    vehicle text REFERENCES vehicle,
    during tstzrange NOT NULL CHECK (NOT isempty(during) AND lower_inc(during) <> lower_inf(during) AND NOT upper_inc(during)),
    CHECK (
        (device IS NOT NULL AND driver IS NULL AND (trailer IS NULL) <> (vehicle IS NULL))
        OR (device IS NULL AND vehicle IS NOT NULL AND (driver IS NULL) <> (trailer IS NULL))
    ),
    CONSTRAINT device_in_one_place EXCLUDE USING gist (
        code_range(device, device, '[]') WITH =, during WITH &&
    ) WHERE (device IS NOT NULL),
    CONSTRAINT driver_on_one_vehicle EXCLUDE USING gist (
        code_range(driver, driver, '[]') WITH =, during WITH &&
    ) WHERE (driver IS NOT NULL),
    CONSTRAINT vehicle_has_one_driver EXCLUDE USING gist (
        code_range(vehicle, vehicle, '[]') WITH =, during WITH &&
    ) WHERE (driver IS NOT NULL),
    CONSTRAINT trailer_behind_one_vehicle EXCLUDE USING gist (
        code_range(trailer, trailer, '[]') WITH =, during WITH &&
    ) WHERE (trailer IS NOT NULL AND device IS NULL),
    CONSTRAINT vehicle_has_one_trailer EXCLUDE USING gist (
        code_range(vehicle, vehicle, '[]') WITH =, during WITH &&
    ) WHERE (trailer IS NOT NULL AND device IS NULL)
);
COMMENT ON TABLE assignment IS
    'A device on a vehicle or a trailer, a driver or a trailer on a vehicle, from (included) until (not included); an open side has no end.';
CREATE INDEX assignment_vehicle ON assignment (vehicle);
CREATE INDEX assignment_device ON assignment (device);
CREATE INDEX assignment_driver ON assignment (driver);
CREATE INDEX assignment_trailer ON assignment (trailer);

CREATE TABLE refold (
    vehicle text NOT NULL,
    device text NOT NULL,
    since timestamptz NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason text,
    PRIMARY KEY (vehicle, device, since)
);
COMMENT ON TABLE refold IS
    'Vehicles whose past an assignment has changed since then: ingest folds them again. A reason says why it could not.';

INSERT INTO assignment (device, vehicle, during)
SELECT device, vehicle, '(,)' FROM device
WHERE vehicle IS NOT NULL;

-- Whoever attributes readings holds the lock shared until its transaction ends, whoever changes assignments holds it
-- alone: so every fix that was attributed by the old ones is there to be folded again when the new ones are.
CREATE FUNCTION master_version_held() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7219403);
    RETURN (SELECT version FROM master_version);
END $$;

CREATE FUNCTION lock_assignments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7219403);
    RETURN NULL;
END $$;
CREATE TRIGGER assignment_lock BEFORE INSERT OR UPDATE OR DELETE ON assignment
FOR EACH STATEMENT EXECUTE FUNCTION lock_assignments();

-- `db copy` carries rows that are right already; it says so by this setting.
CREATE FUNCTION request_refolds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_rows assignment [] := '{}';
    before_rows assignment [] := '{}';
BEGIN
    IF current_setting('waystock.carrying', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF tg_op <> 'DELETE' THEN
        now_rows := ARRAY(SELECT row(n.*)::assignment FROM new_rows AS n);
    END IF;
    IF tg_op <> 'INSERT' THEN
        before_rows := ARRAY(SELECT row(o.*)::assignment FROM old_rows AS o);
    END IF;
    UPDATE master_version SET version = version + 1;
    INSERT INTO refold (vehicle, device, since)
    SELECT c.vehicle, c.device, c.since FROM changed_past(now_rows, before_rows) AS c
    ON CONFLICT (vehicle, device, since) DO UPDATE SET requested_at = excluded.requested_at, reason = NULL;
    RETURN NULL;
END $$;

-- From when on a vehicle has other fixes than before, device by device; nothing where none is stored of that time.
CREATE FUNCTION changed_past(now_rows assignment [], before_rows assignment [])
RETURNS TABLE (vehicle text, device text, since timestamptz) LANGUAGE sql STABLE AS $$
    WITH told AS (
        SELECT o.vehicle, o.device, range_agg(o.during) AS before, NULL::tstzmultirange AS after
        FROM unnest(before_rows) AS o GROUP BY 1, 2
        UNION ALL
        SELECT n.vehicle, n.device, NULL, range_agg(n.during)
        FROM unnest(now_rows) AS n GROUP BY 1, 2
    ),
    both_sides AS (
        SELECT
            told.vehicle,
            told.device,
            coalesce(range_agg(told.before), '{}') AS before,
            coalesce(range_agg(told.after), '{}') AS after
        FROM told
        WHERE told.device IS NOT NULL AND told.vehicle IS NOT NULL
        GROUP BY 1, 2
    ),
    parts AS (
        SELECT b.vehicle, b.device, part
        FROM both_sides AS b, unnest((b.before - b.after) + (b.after - b.before)) AS part
    )
    SELECT p.vehicle, p.device, min(coalesce(lower(p.part), '-infinity'))
    FROM parts AS p
    WHERE EXISTS (
        SELECT 1 FROM fix
        WHERE
            fix.device = p.device
            AND fix.time >= coalesce(lower(p.part), '-infinity')
            AND fix.time < coalesce(upper(p.part), 'infinity')
    )
    GROUP BY 1, 2
$$;

CREATE TRIGGER assignment_made AFTER INSERT ON assignment
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION request_refolds();
CREATE TRIGGER assignment_changed AFTER UPDATE ON assignment
REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION request_refolds();
CREATE TRIGGER assignment_removed AFTER DELETE ON assignment
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION request_refolds();

-- The master-data document names a device's vehicle without a time, as does code from before: the first one it ever
-- names has always had the device; another one has it from now on, until what is planned next.
CREATE FUNCTION assign_devices() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    moved device [];
BEGIN
    IF current_setting('waystock.carrying', true) = 'on' THEN
        RETURN NULL;
    END IF;
    IF tg_op = 'INSERT' THEN
        moved := ARRAY(SELECT row(n.*)::device FROM new_rows AS n WHERE n.vehicle IS NOT NULL);
    ELSE
        moved := ARRAY(
            SELECT row(n.*)::device FROM new_rows AS n INNER JOIN old_rows AS o USING (device)
            WHERE n.vehicle IS DISTINCT FROM o.vehicle
        );
    END IF;
    IF cardinality(moved) = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE assignment AS a SET during = tstzrange(lower(a.during), moment)
    FROM unnest(moved) AS m
    WHERE a.device = m.device AND a.during @> moment AND a.vehicle IS DISTINCT FROM m.vehicle;
    INSERT INTO assignment (device, vehicle, during)
    SELECT
        m.device,
        m.vehicle,
        tstzrange(
            CASE WHEN EXISTS (SELECT 1 FROM assignment AS a WHERE a.device = m.device) THEN moment END,
            (
                SELECT min(lower(a.during)) FROM assignment AS a
                WHERE a.device = m.device AND lower(a.during) > moment
            )
        )
    FROM unnest(moved) AS m
    WHERE
        m.vehicle IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM assignment AS a WHERE a.device = m.device AND a.during @> moment
        );
    RETURN NULL;
END $$;
CREATE TRIGGER device_made AFTER INSERT ON device
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION assign_devices();
CREATE TRIGGER device_changed AFTER UPDATE ON device
REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION assign_devices();
