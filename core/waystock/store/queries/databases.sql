-- For whole databases.

-- end_connections --
-- TimescaleDB's scheduler visits each database; one that is visited can't be renamed.
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity
WHERE datname = %(database)s AND pid <> pg_backend_pid();
