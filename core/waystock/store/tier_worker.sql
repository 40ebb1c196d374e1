-- Run before the migrations on PostgreSQL alone and on TimescaleDB's Apache edition: roll-ups are
-- views, nothing is compressed, and the worker removes what is old.
CREATE OR REPLACE PROCEDURE make_rollup(rollup name, query text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE VIEW %I AS %s', rollup, query);
END $$;

CREATE OR REPLACE PROCEDURE apply_retention()
    LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
