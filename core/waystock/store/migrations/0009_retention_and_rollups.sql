-- How long raw readings are kept and when they are compressed (one place, docs/decisions/0007), and summaries of them.

CREATE TABLE retention (
    table_name text PRIMARY KEY,
    keep_s bigint NOT NULL CHECK (keep_s >= 604800),
    compress_after_s bigint CHECK (compress_after_s >= 86400),
    segment_by text NOT NULL DEFAULT '',
    order_by text NOT NULL DEFAULT '',
    CHECK (compress_after_s < keep_s)
);
COMMENT ON TABLE retention IS
    'Of raw readings and dead letters; the ledger, trips and roll-ups stay. Change it by `waystock db retention set`: TimescaleDB Community''s policies have to follow.';
COMMENT ON COLUMN retention.keep_s IS
    'At least a week: readings of a gateway that had no network for as long must not go as they come.';
COMMENT ON COLUMN retention.compress_after_s IS
    'Null: never. Counts in TimescaleDB''s Community edition alone, as do segment_by and order_by.';

-- A database that holds fixes already keeps them as long as it did; a new one does not fill its disk with them.
INSERT INTO retention (table_name, keep_s, compress_after_s, segment_by, order_by) VALUES
('barcode_reading', 400 * 86400, 30 * 86400, 'device', 'time DESC'),
('rfid_reading', 400 * 86400, 30 * 86400, 'device', 'epc, time DESC'),
(
    'fix',
    CASE WHEN EXISTS (SELECT 1 FROM fix) THEN 400 ELSE 90 END * 86400,
    7 * 86400,
    'device',
    'time DESC'
),
('telemetry_reading', 400 * 86400, 7 * 86400, 'device', 'time DESC'),
('health_report', 400 * 86400, 30 * 86400, '', 'device, time DESC'),
('dead_letter', 400 * 86400, NULL, '', '');

-- Roll-ups: continuous aggregates in TimescaleDB's Community edition, views elsewhere. Hours and days are UTC's.

CALL make_rollup('fix_hourly', $$
SELECT
    device,
    time_bucket(interval '1 hour', time) AS hour,
    count(*) AS fixes,
    min(time) AS first_fix,
    max(time) AS last_fix,
    avg(speed_mps) AS mean_speed_mps,
    max(speed_mps) AS max_speed_mps
FROM fix
GROUP BY 1, 2
$$);

CALL make_rollup('telemetry_daily', $$
SELECT
    device,
    time_bucket(interval '1 day', time) AS day,
    count(*) AS readings,
    min((measured ->> 'temperature_c')::double precision) AS min_temperature_c,
    avg((measured ->> 'temperature_c')::double precision) AS mean_temperature_c,
    max((measured ->> 'temperature_c')::double precision) AS max_temperature_c,
    min((measured ->> 'fuel_ratio')::double precision) AS min_fuel_ratio,
    avg((measured ->> 'fuel_ratio')::double precision) AS mean_fuel_ratio,
    max((measured ->> 'fuel_ratio')::double precision) AS max_fuel_ratio,
    min((measured ->> 'battery_v')::double precision) AS min_battery_v,
    avg((measured ->> 'battery_v')::double precision) AS mean_battery_v,
    max((measured ->> 'battery_v')::double precision) AS max_battery_v
FROM telemetry_reading
GROUP BY 1, 2
$$);

CALL make_rollup('movement_hourly', $$
SELECT
    time_bucket(interval '1 hour', occurred_at) AS hour,
    from_location,
    to_location,
    gtin,
    biz_step,
    count(*) AS movements,
    sum(quantity) AS quantity
FROM movement
GROUP BY 1, 2, 3, 4, 5
$$);

CREATE VIEW stock_flow_hourly AS
SELECT
    hour,
    location,
    gtin,
    sum(quantity_in)::bigint AS quantity_in,
    sum(quantity_out)::bigint AS quantity_out
FROM (
    SELECT hour, to_location AS location, gtin, quantity AS quantity_in, 0 AS quantity_out FROM movement_hourly
    UNION ALL
    SELECT hour, from_location, gtin, 0, quantity FROM movement_hourly
) AS leg
GROUP BY hour, location, gtin;
COMMENT ON VIEW stock_flow_hourly IS 'What came to and left each location, by product and hour.';
