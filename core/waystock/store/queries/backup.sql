-- For backup, restore and the copy of a database into another.

-- stay --
-- The transaction that holds the snapshot waits for pg_dump as long as that takes.
SELECT set_config('idle_in_transaction_session_timeout', '0', true);

-- export_snapshot --
SELECT pg_export_snapshot();

-- timescale_version --
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb';

-- timescale_offered --
SELECT count(*) > 0
FROM pg_available_extension_versions
WHERE name = 'timescaledb' AND version = %(version)s;

-- tables --
-- Ours, without what an extension brought; chunks of hypertables lie in a schema of their own.
SELECT c.relname
FROM pg_class AS c
WHERE
    c.relnamespace = current_schema()::regnamespace
    AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (
        SELECT 1 FROM pg_depend AS d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY c.relname;

-- count_rows --
SELECT count(*) FROM {table};

-- pre_restore --
SELECT timescaledb_pre_restore();

-- post_restore --
SELECT timescaledb_post_restore();

-- drop_extension --
DROP EXTENSION timescaledb CASCADE;

-- make_extension --
CREATE EXTENSION timescaledb VERSION {version};

-- analyze --
ANALYZE;
