-- What each index costs those who write. Statements with {table} or {index} are completed from the schema's own names.

-- make --
CREATE TABLE index_trial (LIKE {table} INCLUDING INDEXES);

-- drop --
DROP TABLE IF EXISTS index_trial;

-- indexes_of --
SELECT i.indexrelid::regclass::text
FROM pg_index AS i
WHERE i.indrelid = %(table)s::regclass
ORDER BY i.indkey::text, pg_get_expr(i.indpred, i.indrelid), i.indoption::text;

-- drop_index --
DROP INDEX {index};

-- drop_key --
ALTER TABLE index_trial DROP CONSTRAINT {index};

-- is_key --
SELECT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = %(index)s::regclass);

-- take --
COPY (SELECT * FROM {table}) TO STDOUT (FORMAT BINARY);

-- fill --
COPY index_trial FROM STDIN (FORMAT BINARY);
