-- Run before the migrations on TimescaleDB's Community edition, 2.19 or newer: what only it can do.
-- Each procedure holds one kind of statement, and no more than its manual shows.

-- Nothing is computed here: that may not happen within a transaction. The refresh policy does it.
CREATE OR REPLACE PROCEDURE make_rollup(rollup name, query text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE MATERIALIZED VIEW %I'
        ' WITH (timescaledb.continuous, timescaledb.materialized_only = false)'
        ' AS %s WITH NO DATA', rollup, query
    );
END $$;

CREATE OR REPLACE PROCEDURE make_columnar(target regclass, segment_by text, order_by text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE %s SET (timescaledb.enable_columnstore = true,'
        ' timescaledb.segmentby = %L, timescaledb.orderby = %L)', target, segment_by, order_by
    );
END $$;

CREATE OR REPLACE PROCEDURE compress_chunks_after(target regclass, age interval)
    LANGUAGE plpgsql AS $$
BEGIN
    CALL remove_columnstore_policy(target, if_exists => true);
    IF age IS NOT NULL THEN
        CALL add_columnstore_policy(target, after => age);
    END IF;
END $$;

CREATE OR REPLACE PROCEDURE drop_chunks_after(target regclass, age interval)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM remove_retention_policy(target, if_exists => true);
    PERFORM add_retention_policy(target, drop_after => age);
END $$;

-- What is older than the raw rows' retention must never be computed again: they are gone, and so
-- their summary would go. The last day is read from the raw rows: late ones are many there.
CREATE OR REPLACE PROCEDURE refresh_rollup(rollup regclass, raw_kept interval)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM remove_continuous_aggregate_policy(rollup, if_exists => true);
    PERFORM add_continuous_aggregate_policy(
        rollup,
        start_offset => raw_kept,
        end_offset => interval '1 day',
        schedule_interval => interval '1 hour'
    );
END $$;

-- Brings the policies in line with the table `retention`; may be called again at any time.
CREATE OR REPLACE PROCEDURE apply_retention()
    LANGUAGE plpgsql AS $$
DECLARE
    one record;
BEGIN
    IF to_regclass('retention') IS NULL THEN
        RETURN;
    END IF;
    FOR one IN
        SELECT
            format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass AS target,
            h.compression_enabled AND EXISTS (
                SELECT 1 FROM timescaledb_information.hypertable_columnstore_settings AS s
                WHERE
                    s.hypertable = format('%I.%I', h.hypertable_schema, h.hypertable_name)::regclass
                    AND coalesce(s.segmentby, '') = r.segment_by
            ) AS is_columnar,
            r.segment_by,
            r.order_by,
            make_interval(secs => r.compress_after_s) AS compress_after,
            make_interval(secs => r.keep_s) AS keep
        FROM retention AS r
        INNER JOIN timescaledb_information.hypertables AS h ON r.table_name = h.hypertable_name
        WHERE h.hypertable_schema = current_schema()
    LOOP
        IF NOT one.is_columnar THEN
            CALL make_columnar(one.target, one.segment_by, one.order_by);
        END IF;
        CALL compress_chunks_after(one.target, one.compress_after);
        CALL drop_chunks_after(one.target, one.keep);
    END LOOP;
    FOR one IN
        SELECT
            format('%I.%I', a.view_schema, a.view_name)::regclass AS rollup,
            make_interval(secs => r.keep_s) AS raw_kept
        FROM timescaledb_information.continuous_aggregates AS a
        LEFT JOIN retention AS r ON a.hypertable_name = r.table_name
        WHERE a.view_schema = current_schema()
    LOOP
        CALL refresh_rollup(one.rollup, one.raw_kept);
    END LOOP;
END $$;
