-- How long raw readings are kept.

-- list --
SELECT
    table_name,
    keep_s,
    compress_after_s
FROM retention
ORDER BY table_name;

-- set --
UPDATE retention
SET
    keep_s = %(keep_s)s,
    compress_after_s = CASE WHEN compress_after_s IS NOT NULL THEN coalesce(%(compress_after_s)s, compress_after_s) END
WHERE table_name = %(table)s;

-- apply --
CALL apply_retention();
