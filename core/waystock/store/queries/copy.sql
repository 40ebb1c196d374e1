-- One database's rows into another.

-- foreign_keys --
SELECT t.relname, n.relname
FROM pg_constraint AS k
INNER JOIN pg_class AS t ON k.conrelid = t.oid
INNER JOIN pg_class AS n ON k.confrelid = n.oid
WHERE
    k.contype = 'f'
    AND t.relnamespace = current_schema()::regnamespace
    AND n.relnamespace = current_schema()::regnamespace;

-- columns --
-- By name, in the target's order; a generated column is computed anew.
SELECT attname
FROM pg_attribute
WHERE
    attrelid = to_regclass(quote_ident(%(table)s)) AND attnum > 0
    AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum;

-- carry --
-- Triggers make nothing of rows that are right already.
SELECT set_config('waystock.carrying', 'on', true);

-- empty --
TRUNCATE {tables};

-- read --
COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary);

-- write --
COPY {table} ({columns}) FROM STDIN (FORMAT binary);

-- quiet --
-- What arrivals that are carried would queue comes with the source's rows.
ALTER TABLE stop_arrival DISABLE TRIGGER stop_arrival_is_due;

-- loud --
ALTER TABLE stop_arrival ENABLE TRIGGER stop_arrival_is_due;

-- set_sequences --
-- COPY leaves identity columns' sequences where they were.
DO $$
DECLARE
    one record;
    highest bigint;
BEGIN
    FOR one IN
        SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname) AS sequence
        FROM pg_attribute AS a
        INNER JOIN pg_class AS c ON a.attrelid = c.oid
        WHERE
            c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
            AND (a.attidentity <> '' OR a.atthasdef) AND NOT a.attisdropped
    LOOP
        CONTINUE WHEN one.sequence IS NULL;
        EXECUTE format('SELECT max(%I) FROM %I', one.attname, one.relname) INTO highest;
        PERFORM setval(one.sequence, greatest(highest, 1), highest IS NOT NULL);
    END LOOP;
END $$;

-- rollups --
-- Asked on TimescaleDB's Community edition alone.
SELECT format('%I.%I', view_schema, view_name)
FROM timescaledb_information.continuous_aggregates;

-- refresh --
CALL refresh_continuous_aggregate(%(rollup)s::text::regclass, NULL, NULL);
