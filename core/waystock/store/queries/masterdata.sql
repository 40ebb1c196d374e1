-- Import of the master-data document: each statement takes one JSON array, %(rows)s.

-- sites --
INSERT INTO site (site, name, lat, lon, time_zone)
SELECT site, name, lat, lon, coalesce(time_zone, 'UTC') FROM jsonb_to_recordset(%(rows)s)
    AS r (site text, name jsonb, lat float8, lon float8, time_zone text)
ON CONFLICT (site) DO UPDATE SET
name = excluded.name, lat = excluded.lat, lon = excluded.lon, time_zone = excluded.time_zone;

-- locations --
INSERT INTO location (location, site, zone, gln, gln_extension)
SELECT location, site, zone, gln, gln_extension FROM jsonb_to_recordset(%(rows)s)
    AS r (location text, site text, zone text, gln text, gln_extension text)
ON CONFLICT (location) DO UPDATE SET
site = excluded.site, zone = excluded.zone, gln = excluded.gln,
gln_extension = excluded.gln_extension;

-- products --
INSERT INTO product (gtin, name, lot_tracked, unit)
SELECT gtin, name, lot_tracked, unit FROM jsonb_to_recordset(%(rows)s)
    AS r (gtin text, name jsonb, lot_tracked boolean, unit text)
ON CONFLICT (gtin) DO UPDATE SET
name = excluded.name, lot_tracked = excluded.lot_tracked, unit = excluded.unit;

-- reorder_points --
INSERT INTO reorder_point (site, gtin, reorder_point)
SELECT site, gtin, reorder_point FROM jsonb_to_recordset(%(rows)s)
    AS r (site text, gtin text, reorder_point bigint)
ON CONFLICT (site, gtin) DO UPDATE SET reorder_point = excluded.reorder_point;

-- parties --
INSERT INTO party (party, role, name)
SELECT party, role, name FROM jsonb_to_recordset(%(rows)s)
    AS r (party text, role text, name jsonb)
ON CONFLICT (party) DO UPDATE SET role = excluded.role, name = excluded.name;

-- vehicles --
INSERT INTO vehicle (vehicle, plate, carrier)
SELECT vehicle, plate, carrier
FROM jsonb_to_recordset(%(rows)s) AS r (vehicle text, plate text, carrier text)
ON CONFLICT (vehicle) DO UPDATE SET plate = excluded.plate, carrier = excluded.carrier;

-- gateways --
INSERT INTO gateway (site, gateway)
SELECT site, gateway FROM jsonb_to_recordset(%(rows)s) AS r (site text, gateway text)
ON CONFLICT DO NOTHING;

-- devices --
INSERT INTO device (device, kind, biz_step, read_point, vehicle)
SELECT device, kind, biz_step, read_point, vehicle FROM jsonb_to_recordset(%(rows)s)
    AS r (device text, kind text, biz_step text, read_point text, vehicle text)
ON CONFLICT (device) DO UPDATE SET
kind = excluded.kind, biz_step = excluded.biz_step, read_point = excluded.read_point,
vehicle = excluded.vehicle;

-- fences --
INSERT INTO fence (fence, name, kind, site, dwell_limit_s, speed_limit_mps, geometry)
SELECT fence, name, kind, site, dwell_limit_s, speed_limit_mps, geometry
FROM jsonb_to_recordset(%(rows)s) AS r (
    fence text, name jsonb, kind text, site text, dwell_limit_s float8, speed_limit_mps float8,
    geometry jsonb
)
ON CONFLICT (fence) DO UPDATE SET
name = excluded.name, kind = excluded.kind, site = excluded.site,
dwell_limit_s = excluded.dwell_limit_s, speed_limit_mps = excluded.speed_limit_mps,
geometry = excluded.geometry;

-- purchase_orders --
INSERT INTO purchase_order (purchase_order, supplier, site, expected_at)
SELECT purchase_order, supplier, site, expected_at FROM jsonb_to_recordset(%(rows)s)
    AS r (purchase_order text, supplier text, site text, expected_at timestamptz)
ON CONFLICT (purchase_order) DO UPDATE SET
supplier = excluded.supplier, site = excluded.site, expected_at = excluded.expected_at;

-- purchase_order_lines --
INSERT INTO purchase_order_line (purchase_order, gtin, quantity)
SELECT purchase_order, gtin, quantity FROM jsonb_to_recordset(%(rows)s)
    AS r (purchase_order text, gtin text, quantity bigint)
ON CONFLICT (purchase_order, gtin) DO UPDATE SET quantity = excluded.quantity;

-- asn_pallets --
INSERT INTO asn_pallet (sscc, purchase_order, gtin, lot, quantity)
SELECT sscc, purchase_order, gtin, lot, quantity FROM jsonb_to_recordset(%(rows)s)
    AS r (sscc text, purchase_order text, gtin text, lot text, quantity bigint)
ON CONFLICT (sscc) DO UPDATE SET
purchase_order = excluded.purchase_order, gtin = excluded.gtin, lot = excluded.lot,
quantity = excluded.quantity;

-- shipments --
INSERT INTO shipment (
    shipment, vehicle, from_site, dock_door, door_from, door_to, depart_at, route,
    planned_speed_mps, closed_at
)
SELECT
    shipment, vehicle, from_site, dock_door, door_from, door_to, depart_at, route,
    planned_speed_mps, closed_at
FROM jsonb_to_recordset(%(rows)s) AS r (
    shipment text, vehicle text, from_site text, dock_door text, door_from timestamptz,
    door_to timestamptz, depart_at timestamptz, route jsonb, planned_speed_mps float8,
    closed_at timestamptz
)
ON CONFLICT (shipment) DO UPDATE SET
vehicle = excluded.vehicle, from_site = excluded.from_site, dock_door = excluded.dock_door,
door_from = excluded.door_from, door_to = excluded.door_to, depart_at = excluded.depart_at,
route = excluded.route, planned_speed_mps = excluded.planned_speed_mps,
closed_at = excluded.closed_at;

-- shipment_stops --
INSERT INTO shipment_stop (shipment, seq, name, fence, customer, window_start, window_end)
SELECT shipment, seq, name, fence, customer, window_start, window_end
FROM jsonb_to_recordset(%(rows)s) AS r (
    shipment text, seq integer, name jsonb, fence text, customer text,
    window_start timestamptz, window_end timestamptz
)
ON CONFLICT (shipment, seq) DO UPDATE SET
name = excluded.name, fence = excluded.fence, customer = excluded.customer,
window_start = excluded.window_start, window_end = excluded.window_end;

-- shipment_lpns --
INSERT INTO shipment_lpn (shipment, lpn)
SELECT shipment, lpn FROM jsonb_to_recordset(%(rows)s) AS r (shipment text, lpn text)
ON CONFLICT DO NOTHING;

-- sales_orders --
INSERT INTO sales_order (sales_order, customer, site, promised_at, priority, shipment)
SELECT sales_order, customer, site, promised_at, priority, shipment
FROM jsonb_to_recordset(%(rows)s) AS r (
    sales_order text, customer text, site text, promised_at timestamptz, priority integer,
    shipment text
)
ON CONFLICT (sales_order) DO UPDATE SET
customer = excluded.customer, site = excluded.site, promised_at = excluded.promised_at,
priority = excluded.priority, shipment = excluded.shipment;

-- sales_order_lines --
INSERT INTO sales_order_line (sales_order, gtin, quantity)
SELECT sales_order, gtin, quantity FROM jsonb_to_recordset(%(rows)s)
    AS r (sales_order text, gtin text, quantity bigint)
ON CONFLICT (sales_order, gtin) DO UPDATE SET quantity = excluded.quantity;

-- bump --
UPDATE master_version SET version = version + 1;

-- known_openings --
SELECT document FROM operation
WHERE kind = 'opening' AND document = any(%(documents)s::text []);
