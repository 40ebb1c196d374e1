-- Run before the migrations on a PostgreSQL without TimescaleDB: stand-ins with the same names.
-- TimescaleDB counts buckets from the same Monday. Widths in months it can't do, so none is used.
CREATE OR REPLACE FUNCTION time_bucket(width interval, at timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT date_bin(width, at, timestamptz '2000-01-03 00:00:00+00') $$;

CREATE OR REPLACE PROCEDURE make_hypertable(target regclass, time_column name, chunk interval)
    LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;

-- Null: there are no chunks here, old rows have to be deleted.
CREATE OR REPLACE FUNCTION drop_old_chunks(target regclass, keep interval) RETURNS integer
    LANGUAGE sql AS $$ SELECT NULL::integer $$;

-- On disk and by the planner's statistics; chunks are null where there are none.
CREATE OR REPLACE FUNCTION stored_size(
    target regclass,
    OUT table_bytes bigint, OUT index_bytes bigint, OUT toast_bytes bigint,
    OUT row_estimate bigint, OUT chunks bigint, OUT chunks_compressed bigint
) LANGUAGE sql STABLE AS $$
SELECT
    pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
    pg_indexes_size(c.oid),
    coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
    greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint,
    NULL::bigint,
    NULL::bigint
FROM pg_class AS c
WHERE c.oid = target
$$;
