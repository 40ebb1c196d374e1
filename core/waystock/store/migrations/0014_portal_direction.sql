-- What a portal tells of a tag beyond its being there, and what a person decided where it could not tell.
ALTER TABLE rfid_reading ADD COLUMN direction text;
ALTER TABLE rfid_reading ADD COLUMN evidence jsonb;
ALTER TABLE rfid_reading ADD COLUMN sighting boolean;
ALTER TABLE rfid_reading ADD COLUMN stationary boolean;
COMMENT ON COLUMN rfid_reading.direction IS
    'in, out or unknown where the reading ends a passage through a portal; NULL where nothing was told, and for readings stored before.';
COMMENT ON COLUMN rfid_reading.sighting IS
    'True: it only says that the tag was heard, and moves nothing. NULL, for readings stored before, is false.';

CREATE TABLE portal_decision (
    stream_id integer NOT NULL,
    stream_offset bigint NOT NULL,
    direction text NOT NULL CHECK (direction IN ('in', 'out', 'none')),
    decided_at timestamptz NOT NULL DEFAULT now(),
    decided_by text NOT NULL,
    PRIMARY KEY (stream_id, stream_offset)
);
COMMENT ON TABLE portal_decision IS
    'Which way a pallet went where its reading did not tell, as a person said it; `none`: it did not go through.';
