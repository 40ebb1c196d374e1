-- What is allowed in a fence; NULL is no limit of its own.
ALTER TABLE fence ADD COLUMN dwell_limit_s double precision;
ALTER TABLE fence ADD COLUMN speed_limit_mps double precision;
