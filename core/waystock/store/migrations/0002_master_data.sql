-- Master data and orders: written by the import and the api, read by ingest.

CREATE TABLE master_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL DEFAULT 0
);
INSERT INTO master_version DEFAULT VALUES;
COMMENT ON TABLE master_version IS 'Bumped by every change of master data; a worker that sees a new number reads it again.';

CREATE TABLE site (
    site text PRIMARY KEY,
    name jsonb NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    time_zone text NOT NULL
);

CREATE TABLE location (
    location text PRIMARY KEY,
    site text NOT NULL REFERENCES site,
    zone text NOT NULL,
    gln text NOT NULL,
    gln_extension text NOT NULL,
    UNIQUE (gln, gln_extension)
);

CREATE TABLE product (
    gtin text PRIMARY KEY,
    name jsonb NOT NULL,
    lot_tracked boolean NOT NULL,
    unit text NOT NULL
);

CREATE TABLE reorder_point (
    site text NOT NULL REFERENCES site,
    gtin text NOT NULL REFERENCES product,
    reorder_point bigint NOT NULL,
    PRIMARY KEY (site, gtin)
);

CREATE TABLE party (
    party text PRIMARY KEY,
    role text NOT NULL,
    name jsonb NOT NULL
);

CREATE TABLE vehicle (
    vehicle text PRIMARY KEY,
    plate text NOT NULL
);

CREATE TABLE gateway (
    site text NOT NULL,
    gateway text NOT NULL,
    PRIMARY KEY (site, gateway)
);

CREATE TABLE device (
    device text PRIMARY KEY,
    kind text NOT NULL,
    biz_step text NOT NULL,
    read_point text,
    vehicle text REFERENCES vehicle
);

CREATE TABLE fence (
    fence text PRIMARY KEY,
    name jsonb NOT NULL,
    kind text NOT NULL,
    site text REFERENCES site,
    geometry jsonb NOT NULL
);

CREATE TABLE purchase_order (
    purchase_order text PRIMARY KEY,
    supplier text NOT NULL REFERENCES party,
    site text NOT NULL REFERENCES site,
    expected_at timestamptz NOT NULL
);

CREATE TABLE purchase_order_line (
    purchase_order text NOT NULL REFERENCES purchase_order,
    gtin text NOT NULL REFERENCES product,
    quantity bigint NOT NULL,
    PRIMARY KEY (purchase_order, gtin)
);

CREATE TABLE asn_pallet (
    sscc text PRIMARY KEY,
    purchase_order text NOT NULL REFERENCES purchase_order,
    gtin text NOT NULL REFERENCES product,
    lot text NOT NULL,
    quantity bigint NOT NULL
);

CREATE TABLE shipment (
    shipment text PRIMARY KEY,
    vehicle text NOT NULL REFERENCES vehicle,
    from_site text NOT NULL REFERENCES site,
    dock_door text,
    door_from timestamptz,
    door_to timestamptz,
    depart_at timestamptz NOT NULL,
    route jsonb NOT NULL,
    planned_speed_mps double precision NOT NULL,
    closed_at timestamptz
);
CREATE INDEX shipment_vehicle ON shipment (vehicle, depart_at);
CREATE INDEX shipment_dock_door ON shipment (dock_door, door_from);

CREATE TABLE shipment_stop (
    shipment text NOT NULL REFERENCES shipment,
    seq integer NOT NULL,
    name jsonb NOT NULL,
    fence text NOT NULL REFERENCES fence,
    customer text REFERENCES party,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    PRIMARY KEY (shipment, seq)
);

CREATE TABLE shipment_lpn (
    shipment text NOT NULL REFERENCES shipment,
    lpn text NOT NULL,
    PRIMARY KEY (shipment, lpn)
);
CREATE INDEX shipment_lpn_lpn ON shipment_lpn (lpn);

CREATE TABLE sales_order (
    sales_order text PRIMARY KEY,
    customer text NOT NULL REFERENCES party,
    site text NOT NULL REFERENCES site,
    promised_at timestamptz NOT NULL,
    priority integer NOT NULL,
    shipment text REFERENCES shipment
);
CREATE INDEX sales_order_shipment ON sales_order (shipment);

CREATE TABLE sales_order_line (
    sales_order text NOT NULL REFERENCES sales_order,
    gtin text NOT NULL REFERENCES product,
    quantity bigint NOT NULL,
    PRIMARY KEY (sales_order, gtin)
);
CREATE INDEX sales_order_line_gtin ON sales_order_line (gtin);
