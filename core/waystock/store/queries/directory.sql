-- Master data as the processes hold it in memory.

-- sites --
SELECT site, name, time_zone FROM site;

-- parties --
SELECT party, name FROM party;

-- locations --
SELECT location, site, gln, gln_extension FROM location;

-- asn --
SELECT sscc, purchase_order, gtin, lot, quantity FROM asn_pallet;

-- purchase_orders --
SELECT purchase_order, supplier FROM purchase_order;

-- products --
SELECT gtin, lot_tracked, name FROM product;

-- appointments --
SELECT dock_door, door_from, door_to, shipment, vehicle FROM shipment
WHERE dock_door IS NOT NULL AND door_from IS NOT NULL AND door_to IS NOT NULL
ORDER BY dock_door, door_from, shipment;

-- plans --
SELECT
    l.lpn,
    s.shipment,
    s.vehicle,
    (
        SELECT stop.customer FROM shipment_stop AS stop
        WHERE stop.shipment = s.shipment AND stop.customer IS NOT NULL
        ORDER BY stop.seq DESC LIMIT 1
    ) AS customer
FROM shipment_lpn AS l
INNER JOIN shipment AS s USING (shipment)
ORDER BY s.depart_at DESC, s.shipment;

-- devices --
SELECT device, kind, biz_step, read_point FROM device;

-- assignments --
SELECT device, vehicle, lower(during) AS from_at, upper(during) AS until_at FROM assignment
WHERE device IS NOT NULL AND vehicle IS NOT NULL;

-- vehicles --
SELECT vehicle, plate, home_site, vehicle_class, limits FROM vehicle;

-- vehicle_classes --
SELECT vehicle_class, name, limits FROM vehicle_class ORDER BY vehicle_class;

-- shipments --
SELECT
    shipment, vehicle, from_site, dock_door, door_from, door_to, depart_at, route,
    planned_speed_mps, closed_at
FROM shipment
ORDER BY shipment;

-- stops --
SELECT shipment, seq, name, fence, customer, window_start, window_end
FROM shipment_stop
ORDER BY shipment, seq;
