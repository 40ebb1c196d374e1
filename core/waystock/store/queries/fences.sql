-- all --
SELECT fence, name, kind, site, location, dwell_limit_s, speed_limit_mps, geometry, rules FROM fence ORDER BY fence;

-- one --
SELECT fence, name, kind, site, location, dwell_limit_s, speed_limit_mps, geometry, rules FROM fence
WHERE fence = %(fence)s;

-- remove --
DELETE FROM fence WHERE fence = %(fence)s RETURNING fence;
