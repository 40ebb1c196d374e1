-- all --
SELECT fence, name, kind, site, location, dwell_limit_s, speed_limit_mps, geometry FROM fence ORDER BY fence;

-- one --
SELECT fence, name, kind, site, location, dwell_limit_s, speed_limit_mps, geometry FROM fence
WHERE fence = %(fence)s;

-- remove --
DELETE FROM fence WHERE fence = %(fence)s RETURNING fence;
