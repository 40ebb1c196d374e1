-- Dead letters that a person has done away with, kept whole so that a mistake can be taken back.

CREATE TABLE dead_letter_dropped (
    dead_letter_id bigint PRIMARY KEY,
    received_at timestamptz NOT NULL,
    topic text NOT NULL,
    stream uuid,
    stream_offset bigint,
    stage text NOT NULL,
    reason text NOT NULL,
    payload bytea NOT NULL,
    times integer NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now(),
    dropped_by text NOT NULL,
    dropped_because text NOT NULL,
    corrected_payload bytea
);
COMMENT ON TABLE dead_letter_dropped IS
    'What `waystock dead-letter drop` took away: who, when, why; `restore` puts it back.';
COMMENT ON COLUMN dead_letter_dropped.corrected_payload IS
    'Not null: a person corrected the payload and this form is in the store. To restore such a letter would store it twice.';
