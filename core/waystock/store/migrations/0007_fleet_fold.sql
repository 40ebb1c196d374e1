-- The fleet fold is compiled code now (docs/decisions/0006) and its state a record of bytes. What is here only adds: code
-- from before may run beside the new one, which names neither vehicle_state.fold nor vehicle_checkpoint.
--
-- States in JSON can't be read as records: a vehicle without a new state is folded again from its stored fixes of a day
-- when its next fix comes, and what was decided in that day is decided again; what lasted from before it is ended where
-- the day begins.

ALTER TABLE vehicle_state
ADD COLUMN state bytea,
ADD COLUMN trip_started_at timestamptz,
ADD COLUMN trip_m double precision;
COMMENT ON COLUMN vehicle_state.state IS
    'The fold over all fixes so far: a record of waystock.fleet.state, its number of form first.';
COMMENT ON COLUMN vehicle_state.trip_m IS 'Way driven since trip_started_at; both NULL while no trip is under way.';
-- Less than 2 KB, written with every batch: never compressed, never out of line, with room for its next version beside it.
ALTER TABLE vehicle_state ALTER COLUMN state SET STORAGE PLAIN;
ALTER TABLE vehicle_state SET (fillfactor = 50);

CREATE TABLE fold_checkpoint (
    vehicle text NOT NULL,
    at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (vehicle, at)
);
COMMENT ON TABLE fold_checkpoint IS
    'The fold at the end of each quarter of an hour, `at` its last fix: a late fix folds again from the last one before it.';
ALTER TABLE fold_checkpoint ALTER COLUMN state SET STORAGE PLAIN;

-- How far an open trip has got stands in vehicle_state; here it is known when it is over.
-- The old code reads no open trip's distance.
-- squawk-ignore ban-drop-not-null
ALTER TABLE trip ALTER COLUMN distance_m DROP NOT NULL;
COMMENT ON COLUMN trip.distance_m IS 'NULL, as end_lat and end_lon, while the trip is under way: see vehicle_state.trip_m.';
UPDATE trip SET end_lat = NULL, end_lon = NULL, distance_m = NULL
WHERE ended_at IS NULL;

-- Beside the old code: whichever folds a vehicle makes the other's state void. The old code may have folded late fixes,
-- too, so that no new checkpoint of the vehicle can be trusted after it.
CREATE FUNCTION fold_written_by_old_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state := NULL;
    DELETE FROM fold_checkpoint WHERE vehicle = NEW.vehicle;
    RETURN NEW;
END $$;
CREATE TRIGGER vehicle_state_fold BEFORE UPDATE OF fold ON vehicle_state
FOR EACH ROW WHEN (new.fold IS NOT NULL) EXECUTE FUNCTION fold_written_by_old_code();

CREATE FUNCTION state_written_by_new_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.fold := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER vehicle_state_state BEFORE UPDATE OF state ON vehicle_state
FOR EACH ROW WHEN (new.fold IS NOT NULL AND new.state IS NOT NULL) EXECUTE FUNCTION state_written_by_new_code();
