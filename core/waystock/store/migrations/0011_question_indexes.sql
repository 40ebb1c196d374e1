-- Indexes that questions of people need and ingest doesn't (docs/questions.md). Not CONCURRENTLY: TimescaleDB has no such
-- thing for hypertables; readings wait at their gateways meanwhile.

-- What lay on a vehicle at an instant, and its load over a trip: the few lines of the ledger that name that vehicle,
-- not every line since then. Partial: lines between bins, the most of them, cost nothing.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX movement_to_vehicle ON movement (to_location, occurred_at) WHERE to_location LIKE 'vehicle/%';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX movement_from_vehicle ON movement (from_location, occurred_at) WHERE from_location LIKE 'vehicle/%';

-- Where an EPC was seen, asked by its URN or Digital Link: one identity is many tags (filter value, 96 or 198 bits), so
-- the tag's hex does not find it. Tags that are no GS1 tags have no link and no entry.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX rfid_reading_link_time ON rfid_reading (digital_link, time DESC) WHERE digital_link IS NOT NULL;

-- Which visits touch a period: those that ended after its beginning, of one vehicle, without going through all its years.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX visit_vehicle_exited ON visit (vehicle, exited_at);
