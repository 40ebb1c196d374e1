-- The list of migrations that a database has seen, and who is connected to it.

-- lock --
SELECT pg_advisory_lock(%(lock)s);

-- make_list --
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- list_exists --
SELECT to_regclass('schema_migration') IS NOT NULL;

-- list --
SELECT name FROM schema_migration;

-- add --
INSERT INTO schema_migration (name) VALUES (%(name)s);

-- wait_briefly --
SET LOCAL lock_timeout = '2s';

-- others_connected --
SELECT application_name
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
