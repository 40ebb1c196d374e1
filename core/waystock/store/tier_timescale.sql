-- Run before the migrations where TimescaleDB is offered (Apache or Community edition).
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE OR REPLACE PROCEDURE make_hypertable(target regclass, time_column name, chunk interval)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM create_hypertable(
        target, by_range(time_column, chunk), create_default_indexes => false, if_not_exists => true
    );
END $$;

-- How many; null where `target` has no chunks. The Community edition's policies do it themselves.
CREATE OR REPLACE FUNCTION drop_old_chunks(target regclass, keep interval) RETURNS integer
    LANGUAGE plpgsql AS $$
BEGIN
    IF (stored_size(target)).chunks IS NULL THEN
        RETURN NULL;
    ELSIF current_setting('timescaledb.license') = 'timescale' THEN
        RETURN 0;
    END IF;
    RETURN (SELECT count(*) FROM drop_chunks(target, older_than => keep));
END $$;

CREATE OR REPLACE FUNCTION stored_size(
    target regclass,
    OUT table_bytes bigint, OUT index_bytes bigint, OUT toast_bytes bigint,
    OUT row_estimate bigint, OUT chunks bigint, OUT chunks_compressed bigint
) LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM timescaledb_information.hypertables AS h
        WHERE format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass = target
    ) THEN
        SELECT s.table_bytes, s.index_bytes, s.toast_bytes
        FROM hypertable_detailed_size(target) AS s
        INTO table_bytes, index_bytes, toast_bytes;
        SELECT count(*), count(*) FILTER (WHERE c.is_compressed)
        FROM timescaledb_information.chunks AS c
        WHERE format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass = target
        INTO chunks, chunks_compressed;
    ELSE
        SELECT
            pg_table_size(c.oid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0),
            pg_indexes_size(c.oid),
            coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)
        FROM pg_class AS c
        WHERE c.oid = target
        INTO table_bytes, index_bytes, toast_bytes;
    END IF;
    -- The statistics of a chunk that was never analysed say nothing; what was written to it is counted.
    row_estimate := greatest(
        approximate_row_count(target),
        pg_stat_get_live_tuples(target),
        (SELECT sum(pg_stat_get_live_tuples(i.inhrelid)) FROM pg_inherits AS i WHERE i.inhparent = target)
    );
END $$;
