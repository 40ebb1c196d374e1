-- Alert episodes: what a fold says of its subjects replaces what was said before.

-- episodes_since --
SELECT a.alert_id
FROM alert AS a
INNER JOIN
    unnest(%(types)s::text [], %(subjects)s::text [], %(since)s::timestamptz [])
        AS k (type, subject, since)
    ON a.type = k.type AND a.subject = k.subject AND a.decided_at > k.since
-- What no fold has said, none takes back: see silence.sql.
WHERE a.decided_at < 'infinity';

-- doubt --
UPDATE alert AS a SET decided_at = 'infinity', ended_decided_at = 'infinity'
WHERE a.alert_id = any(%(alert_ids)s::text []);

-- reopen --
UPDATE alert AS a SET
    cleared_at = NULL,
    ended_decided_at = NULL,
    changed_at = greatest(clock_timestamp(), a.changed_at + interval '1 microsecond')
FROM unnest(%(types)s::text [], %(subjects)s::text [], %(since)s::timestamptz [])
    AS k (type, subject, since)
WHERE
    a.type = k.type AND a.subject = k.subject AND a.ended_decided_at > k.since
    AND a.decided_at <= k.since
RETURNING a.alert_id;

-- open_before --
SELECT a.subject, max(a.opened_at) AS opened_at
FROM alert AS a
INNER JOIN
    unnest(%(subjects)s::text [], %(since)s::timestamptz []) AS k (subject, since)
    ON a.subject = k.subject
WHERE
    a.type = %(type)s
    AND a.opened_at < k.since
    AND (a.cleared_at IS NULL OR a.cleared_at >= k.since)
GROUP BY a.subject;

-- remove --
DELETE FROM alert
WHERE alert_id = any(%(alert_ids)s::text []);

-- put --
INSERT INTO alert AS a (
    alert_id, type, severity, site, subject, opened_at, cleared_at, figures, orders, captured_at,
    recorded_at, changed_at, decided_at, ended_decided_at
)
SELECT
    e.alert_id, e.type, e.severity, e.site, e.subject, e.opened_at, e.cleared_at,
    coalesce(e.figures, '{}'),
    coalesce(e.orders, '{}'),
    e.captured_at, clock_timestamp(), clock_timestamp(), e.decided_at,
    e.ended_decided_at
FROM jsonb_to_recordset(%(episodes)s) AS e (
    alert_id text, type text, severity text, site text, subject text, opened_at timestamptz,
    cleared_at timestamptz, figures jsonb, orders text [], captured_at timestamptz,
    decided_at timestamptz, ended_decided_at timestamptz
)
ORDER BY e.alert_id
ON CONFLICT (alert_id) DO UPDATE SET
cleared_at = excluded.cleared_at,
ended_decided_at = CASE
    WHEN excluded.cleared_at IS NULL THEN NULL
    WHEN excluded.cleared_at = a.cleared_at
        THEN least(a.ended_decided_at, excluded.ended_decided_at)
    ELSE excluded.ended_decided_at
END,
decided_at = least(a.decided_at, excluded.decided_at),
figures = CASE WHEN excluded.figures = '{}' THEN a.figures ELSE excluded.figures END,
orders = CASE WHEN excluded.orders = '{}' THEN a.orders ELSE excluded.orders END,
captured_at = coalesce(excluded.captured_at, a.captured_at),
changed_at = greatest(clock_timestamp(), a.changed_at + interval '1 microsecond')
WHERE
    a.decided_at = 'infinity'
    OR a.cleared_at IS DISTINCT FROM excluded.cleared_at
    OR (excluded.figures <> '{}' AND a.figures <> excluded.figures)
    OR (excluded.orders <> '{}' AND a.orders <> excluded.orders)
RETURNING a.alert_id;
