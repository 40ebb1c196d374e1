-- (device, time) ascending for the two tables with the volume: readings of a device come in order of time, and only an
-- ascending index then splits its pages so that they stay full: a fifth smaller (docs/decisions/0007). It is read
-- backwards as well as forwards. In a database that is in use this builds an index over all that is stored, while
-- readings wait at their gateways. CONCURRENTLY would not do: TimescaleDB has no such thing for hypertables.

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX fix_device_time_asc ON fix (device, time);
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX fix_device_time;

-- squawk-ignore require-concurrent-index-creation
CREATE INDEX telemetry_reading_device_time_asc ON telemetry_reading (device, time);
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX telemetry_reading_device_time;
