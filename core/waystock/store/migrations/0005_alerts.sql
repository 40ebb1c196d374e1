CREATE TABLE alert (
    alert_id text PRIMARY KEY,
    type text NOT NULL,
    severity text NOT NULL,
    site text,
    subject text NOT NULL,
    opened_at timestamptz NOT NULL,
    cleared_at timestamptz,
    figures jsonb NOT NULL,
    orders text [] NOT NULL,
    captured_at timestamptz,
    recorded_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    ended_decided_at timestamptz
);
COMMENT ON COLUMN alert.alert_id IS 'Made from type, subject and opened_at, so that the same facts in any order make the same row.';
COMMENT ON COLUMN alert.decided_at IS 'As in trip: what a second fold overrules.';
CREATE INDEX alert_open ON alert (opened_at DESC) WHERE cleared_at IS NULL;
CREATE INDEX alert_subject ON alert (type, subject, opened_at DESC);
CREATE INDEX alert_changed ON alert (changed_at DESC);
