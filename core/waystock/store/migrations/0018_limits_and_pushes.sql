-- What is allowed to a vehicle, when a fence counts and how a visit begins and ends, when people want to be left alone.
-- Only adds: code from before runs beside it and leaves it alone.

CREATE TABLE vehicle_class (
    vehicle_class text PRIMARY KEY,
    name jsonb NOT NULL DEFAULT '{}',
    limits jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE vehicle_class IS
    'Limits of many vehicles (VehicleLimits); those of the class `default` hold for all that say nothing else.';

ALTER TABLE vehicle
ADD COLUMN vehicle_class text,
ADD COLUMN home_site text,
ADD COLUMN limits jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN vehicle.limits IS 'Its own ones (VehicleLimits); what is not there is inherited.';
COMMENT ON COLUMN vehicle.home_site IS 'Its working hours are told in this site''s time zone.';

ALTER TABLE fence ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN fence.rules IS 'active_hours, and enter_… and exit_… where they are not the fleet''s.';

ALTER TABLE site
ADD COLUMN quiet_hours jsonb NOT NULL DEFAULT '[]',
ADD COLUMN quiet_severities text [] NOT NULL DEFAULT '{warning,info}';
COMMENT ON COLUMN site.quiet_hours IS
    'Hours in the site''s time zone in which alerts of quiet_severities are recorded but not pushed; those still open are afterwards.';

ALTER TABLE vehicle_state ADD COLUMN silent_at timestamptz;
COMMENT ON COLUMN vehicle_state.silent_at IS
    'From then on the vehicle is silent if nothing more is heard of it; NULL: it may be silent. No index: it changes with every fix.';

ALTER TABLE alert ADD COLUMN pushed_at timestamptz;
COMMENT ON COLUMN alert.pushed_at IS 'When people were told of it, by push; NULL: not, or not yet.';
-- Those that wait for their push: few, as what is cleared or pushed is not among them. The table is small beside the readings.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_unpushed ON alert (recorded_at) WHERE pushed_at IS NULL AND cleared_at IS NULL;
-- What was open before there were pushes is no news.
UPDATE alert SET pushed_at = recorded_at WHERE cleared_at IS NULL;
