-- Arrival times learned from finished trips, and the history of what was predicted (docs/decisions/0014).

-- A lane is a leg of a planned route: from one stop to the next, on a way of this shape.
CREATE TABLE lane (
    lane bigint PRIMARY KEY,
    from_code text NOT NULL,
    to_fence text NOT NULL,
    length_m double precision NOT NULL
);
COMMENT ON TABLE lane IS 'Its number is made of its ends and its shape (waystock.fleet.lane_curve), the same everywhere.';
COMMENT ON COLUMN lane.from_code IS 'The fence of the stop where it begins, or `site …` where the shipment does.';

-- What arrivals have become known, changed or gone since lanes were learned from; any code that writes arrivals fills it.
CREATE TABLE leg_due (
    leg_due_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    shipment text NOT NULL,
    seq integer NOT NULL
);

CREATE FUNCTION arrival_is_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO leg_due (shipment, seq) VALUES (OLD.shipment, OLD.seq);
    ELSE
        INSERT INTO leg_due (shipment, seq) VALUES (NEW.shipment, NEW.seq);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stop_arrival_is_due AFTER INSERT OR UPDATE OR DELETE ON stop_arrival
FOR EACH ROW EXECUTE FUNCTION arrival_is_due();
INSERT INTO leg_due (shipment, seq)
SELECT shipment, seq FROM stop_arrival
WHERE arrived_at > now() - interval '90 days'
ORDER BY arrived_at;

-- One finished leg, derived from the fixes between two arrivals: its name is the arrival's, so that it counts once.
CREATE TABLE lane_passage (
    shipment text NOT NULL,
    seq integer NOT NULL,
    lane bigint NOT NULL,
    vehicle text NOT NULL,
    left_at timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL,
    service_s real,
    rest_s real [] NOT NULL,
    PRIMARY KEY (shipment, seq)
);
COMMENT ON COLUMN lane_passage.service_s IS 'Stay at the stop where the leg begins; NULL where the shipment begins there.';
COMMENT ON COLUMN lane_passage.rest_s IS 'Seconds to the arrival from each boundary of the leg''s forty parts.';
CREATE INDEX lane_passage_lane ON lane_passage (lane, arrived_at DESC);

-- Versions: in force from `valid_from` on, never changed.
CREATE TABLE lane_curve (
    curve_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    lane bigint NOT NULL,
    valid_from timestamptz NOT NULL,
    passages integer NOT NULL,
    services integer NOT NULL,
    length_m double precision NOT NULL,
    leave_m double precision NOT NULL,
    service_s double precision NOT NULL,
    spread double precision NOT NULL,
    rest_s real [] NOT NULL,
    hour_log real [] NOT NULL
);
CREATE INDEX lane_curve_lane ON lane_curve (lane, valid_from DESC);

CREATE TABLE lane_network (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    learned_at timestamptz NOT NULL,
    hour_log real [] NOT NULL
);

CREATE TABLE eta_range (
    range_id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    valid_from timestamptz NOT NULL,
    model text NOT NULL,
    horizon integer NOT NULL,
    outcomes integer NOT NULL,
    low double precision NOT NULL,
    high double precision NOT NULL
);
COMMENT ON TABLE eta_range IS 'By model and minutes away: tenth and ninetieth percentile of real ÷ predicted time, from outcomes.';

-- What was said when: one row where it has changed enough to tell, or every few minutes.
CREATE TABLE eta_prediction (
    predicted_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    vehicle text NOT NULL,
    shipment text NOT NULL,
    seq integer NOT NULL,
    lane bigint NOT NULL,
    model text NOT NULL,
    remaining_m real NOT NULL,
    p10 timestamptz NOT NULL,
    p50 timestamptz NOT NULL,
    p90 timestamptz NOT NULL
);
COMMENT ON COLUMN eta_prediction.predicted_at IS 'Time of the fix that it was predicted at.';
CALL make_hypertable('eta_prediction', 'predicted_at', interval '7 days');
CREATE INDEX eta_prediction_stop ON eta_prediction (shipment, seq, predicted_at DESC);
CREATE INDEX eta_prediction_time ON eta_prediction (predicted_at);
INSERT INTO retention (table_name, keep_s, compress_after_s, segment_by, order_by)
VALUES ('eta_prediction', 400 * 86400, 30 * 86400, 'shipment', 'seq, predicted_at DESC');

ALTER TABLE vehicle_state
ADD COLUMN eta_model text,
ADD COLUMN under_way boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN vehicle_state.eta_model IS 'What eta rests on: learned, pace or straight_line.';
COMMENT ON COLUMN vehicle_state.under_way IS 'Whether it has left the place where its shipment begins.';

-- What a delay at a stop hits: its customer's orders (all of the shipment's where it has no customer, or none is named),
-- the most urgent first, and the goods planned for them.
CREATE FUNCTION goods_of_stop(
    of_shipment text, of_seq integer, OUT orders text [], OUT units bigint, OUT pallets bigint
) LANGUAGE sql STABLE AS $$
WITH hit AS (
    SELECT o.sales_order, o.priority, o.promised_at
    FROM sales_order AS o
    LEFT JOIN shipment_stop AS t ON o.shipment = t.shipment AND t.seq = of_seq
    WHERE o.shipment = of_shipment AND (t.customer IS NULL OR o.customer = t.customer)
)
SELECT
    ARRAY(SELECT h.sales_order FROM hit AS h ORDER BY h.priority, h.promised_at, h.sales_order),
    (SELECT sum(l.quantity) FROM hit AS h INNER JOIN sales_order_line AS l USING (sales_order))::bigint,
    nullif((SELECT count(*) FROM shipment_lpn AS l WHERE l.shipment = of_shipment), 0)
$$;

-- What a customer may be told, by rule: the promise as it was given, unless the shipment is predicted late; then the end
-- of the likely range of its arrival, rounded up to a quarter of an hour, where that is later. The alert's hysteresis
-- keeps it from coming and going.
CREATE VIEW customer_promise AS
SELECT
    o.sales_order,
    o.customer,
    o.site,
    o.priority,
    o.shipment,
    stop.seq,
    o.promised_at,
    CASE WHEN said.late THEN greatest(o.promised_at, said.rounded) ELSE o.promised_at END AS expected_at,
    CASE
        WHEN arrived.arrived_at IS NOT NULL THEN 'arrived'
        WHEN said.late AND said.rounded > o.promised_at THEN 'moved'
        WHEN said.p50 IS NULL THEN 'unknown'
        ELSE 'kept'
    END AS state,
    said.p50 AS eta,
    said.p90 AS eta_p90,
    arrived.arrived_at
FROM sales_order AS o
CROSS JOIN LATERAL (
    SELECT t.seq FROM shipment_stop AS t
    WHERE t.shipment = o.shipment
    ORDER BY (t.customer = o.customer) DESC NULLS LAST, t.seq DESC
    LIMIT 1
) AS stop
LEFT JOIN stop_arrival AS arrived ON o.shipment = arrived.shipment AND stop.seq = arrived.seq
LEFT JOIN LATERAL (
    SELECT
        p.p50,
        p.p90,
        date_bin(interval '15 minutes', p.p90 + interval '15 minutes', timestamptz '2000-01-01 00:00:00+00') AS rounded,
        EXISTS (
            SELECT 1 FROM alert AS a
            WHERE
                a.type = 'shipment.late_predicted' AND a.subject = o.shipment
                AND a.cleared_at IS NULL
        ) AS late
    FROM eta_prediction AS p
    WHERE p.shipment = o.shipment AND p.seq = stop.seq AND p.predicted_at > now() - interval '30 days'
    ORDER BY p.predicted_at DESC
    LIMIT 1
) AS said ON arrived.arrived_at IS NULL;
