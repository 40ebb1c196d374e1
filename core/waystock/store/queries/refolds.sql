-- Vehicles whose past an assignment has changed (docs/decisions/0013).

-- is_due --
SELECT EXISTS (SELECT 1 FROM refold WHERE reason IS NULL) AS is_due;

-- take --
-- All that is asked of the vehicle that has waited longest. Another worker's vehicle is passed over.
WITH longest AS (
    SELECT vehicle FROM refold
    WHERE reason IS NULL
    ORDER BY requested_at, vehicle
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)

SELECT r.vehicle, r.device, greatest(r.since, 'epoch') AS since FROM refold AS r
INNER JOIN longest ON r.vehicle = longest.vehicle
ORDER BY r.device, r.since
FOR UPDATE OF r;

-- done --
DELETE FROM refold WHERE vehicle = %(vehicle)s;

-- fail --
UPDATE refold SET reason = %(reason)s WHERE vehicle = %(vehicle)s;
