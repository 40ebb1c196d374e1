-- Limits of vehicles and their classes, one by one, as the api changes them.

-- vehicle --
SELECT
    v.vehicle,
    v.vehicle_class,
    v.home_site,
    v.limits,
    c.limits AS of_class,
    d.limits AS of_default,
    coalesce(s.time_zone, 'UTC') AS time_zone
FROM vehicle AS v
LEFT JOIN vehicle_class AS c ON v.vehicle_class = c.vehicle_class
LEFT JOIN vehicle_class AS d ON d.vehicle_class = %(default)s
LEFT JOIN site AS s ON v.home_site = s.site
WHERE v.vehicle = %(vehicle)s;

-- save_vehicle --
UPDATE vehicle SET vehicle_class = %(vehicle_class)s, home_site = %(home_site)s, limits = %(limits)s
WHERE vehicle = %(vehicle)s
RETURNING vehicle;

-- classes_among --
SELECT vehicle_class FROM vehicle_class WHERE vehicle_class = any(%(classes)s::text []) FOR SHARE;

-- sites_among --
SELECT site FROM site WHERE site = any(%(sites)s::text []);

-- remove_class --
DELETE FROM vehicle_class WHERE vehicle_class = %(vehicle_class)s RETURNING vehicle_class;

-- vehicles_of_class --
SELECT count(*) FROM vehicle WHERE vehicle_class = %(vehicle_class)s;

-- quiet_hours --
SELECT quiet_hours, quiet_severities, time_zone FROM site WHERE site = %(site)s;

-- save_quiet_hours --
UPDATE site SET quiet_hours = %(quiet_hours)s, quiet_severities = %(quiet_severities)s
WHERE site = %(site)s
RETURNING site;
