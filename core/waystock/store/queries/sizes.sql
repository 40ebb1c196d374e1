-- How much room rows take. Statements with {table} are completed from the schema's own names.

-- tables --
SELECT
    c.relname,
    s.table_bytes,
    s.index_bytes,
    s.toast_bytes,
    s.row_estimate,
    s.chunks,
    s.chunks_compressed
FROM pg_class AS c
CROSS JOIN LATERAL stored_size(c.oid) AS s
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
ORDER BY c.relname;

-- make_bare --
CREATE TEMPORARY TABLE bare (LIKE {table}) ON COMMIT DROP;

-- fill_bare --
INSERT INTO bare SELECT * FROM {table};

-- bare --
SELECT
    count(*),
    pg_relation_size('bare'),
    coalesce(sum(pg_column_size(bare) - %(row_header)s), 0)::bigint
FROM bare;
