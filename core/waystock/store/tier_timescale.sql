-- Run before the migrations where TimescaleDB is offered (Apache or Community edition).
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE OR REPLACE PROCEDURE make_hypertable(target regclass, time_column name, chunk interval)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM create_hypertable(
        target, by_range(time_column, chunk), create_default_indexes => false, if_not_exists => true
    );
END $$;
