-- What is derived from fixes: the state of each vehicle, its checkpoints, trips, visits, progress.

CREATE TABLE vehicle_state (
    vehicle text PRIMARY KEY,
    fix_time timestamptz,
    captured_at timestamptz,
    lat double precision,
    lon double precision,
    speed_mps real,
    course_deg_true real,
    motion text NOT NULL DEFAULT 'unknown',
    at_fence text,
    shipment text,
    next_stop integer,
    remaining_m double precision,
    eta timestamptz,
    eta_p10 timestamptz,
    eta_p90 timestamptz,
    window_end timestamptz,
    late_s double precision,
    off_route boolean NOT NULL DEFAULT false,
    fold jsonb,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN vehicle_state.fold IS 'State of the fold over this vehicle''s fixes after fix_time.';

CREATE TABLE vehicle_checkpoint (
    vehicle text NOT NULL,
    at timestamptz NOT NULL,
    fold jsonb NOT NULL,
    PRIMARY KEY (vehicle, at)
);
COMMENT ON TABLE vehicle_checkpoint IS 'Fold state now and then: a late fix folds again from the last one before it.';

-- decided_at, ended_decided_at: the end of the checkpoint interval in which the fold knew of a row's
-- beginning and end. Both are known later than they happened, so only these say what a second fold
-- from a checkpoint overrules.

CREATE TABLE trip (
    vehicle text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    start_lat double precision NOT NULL,
    start_lon double precision NOT NULL,
    end_lat double precision,
    end_lon double precision,
    distance_m double precision NOT NULL,
    decided_at timestamptz NOT NULL,
    ended_decided_at timestamptz,
    PRIMARY KEY (vehicle, started_at)
);

CREATE TABLE visit (
    vehicle text NOT NULL,
    fence text NOT NULL,
    entered_at timestamptz NOT NULL,
    exited_at timestamptz,
    decided_at timestamptz NOT NULL,
    ended_decided_at timestamptz,
    PRIMARY KEY (vehicle, fence, entered_at)
);

CREATE TABLE stop_arrival (
    shipment text NOT NULL,
    seq integer NOT NULL,
    vehicle text NOT NULL,
    arrived_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (shipment, seq)
);

CREATE TABLE vehicle_stop (
    vehicle text NOT NULL,
    arrived_at timestamptz NOT NULL,
    departed_at timestamptz,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    decided_at timestamptz NOT NULL,
    ended_decided_at timestamptz,
    PRIMARY KEY (vehicle, arrived_at)
);
