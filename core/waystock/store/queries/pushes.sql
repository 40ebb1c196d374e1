-- Alerts that people are to be told of, once, when they may be disturbed.

-- waiting --
-- What was news when it was recorded, is grave enough, and is still open.
SELECT a.alert_id, a.site, a.severity
FROM alert AS a
WHERE
    a.pushed_at IS NULL
    AND a.cleared_at IS NULL
    AND a.severity = any(%(severities)s::text [])
    AND coalesce(a.captured_at, a.recorded_at) >= a.recorded_at - make_interval(secs => %(news_s)s)
    AND a.recorded_at > now() - make_interval(secs => %(age_s_max)s)
ORDER BY a.recorded_at, a.alert_id;

-- sites --
SELECT site, quiet_hours, quiet_severities, time_zone FROM site WHERE quiet_hours <> '[]';

-- pushed --
UPDATE alert SET pushed_at = clock_timestamp() WHERE alert_id = any(%(alert_ids)s::text []);
