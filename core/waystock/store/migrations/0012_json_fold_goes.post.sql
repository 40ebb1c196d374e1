-- The fold's state as JSON, and what told code before 0007 and code after it of one another: that code is gone.
DROP TRIGGER vehicle_state_fold ON vehicle_state;
DROP TRIGGER vehicle_state_state ON vehicle_state;
-- squawk-ignore ban-drop-function
DROP FUNCTION fold_written_by_old_code;
-- squawk-ignore ban-drop-function
DROP FUNCTION state_written_by_new_code;
-- squawk-ignore ban-drop-column
ALTER TABLE vehicle_state DROP COLUMN fold;
-- squawk-ignore ban-drop-table
DROP TABLE vehicle_checkpoint;
