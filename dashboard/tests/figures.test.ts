import { describe, expect, it } from "vitest";

import type {
  AlertEntity,
  MovementEntity,
  StockEntity,
  TransitEntity,
} from "../src/lib/live/entities";
import {
  aroundPlates,
  briefly,
  factOf,
  inTurn,
  shortCode,
  kpisOf,
  lowStock,
  openAlerts,
  placeOnly,
  stockBySite,
  tickerItems,
  transitRows,
  vehicleOf,
} from "../src/screen/figures";

const NOW_MS = Date.parse("2026-11-23T06:00:00Z");

function truck(key: string, more: Partial<TransitEntity> = {}): TransitEntity {
  return {
    key,
    version: 1,
    vehicle: key,
    plate: key,
    lat: 31,
    lon: 121,
    speed_mps: 10,
    course_deg_true: 0,
    fix_time: "2026-11-23T05:59:58Z",
    motion: "moving",
    ...more,
  };
}

function stock(site: string, gtin: string, more: Partial<StockEntity> = {}): StockEntity {
  return { key: `${site}/${gtin}`, version: 1, site, gtin, on_hand: 10, ...more };
}

function alert(key: string, more: Partial<AlertEntity> = {}): AlertEntity {
  return {
    key,
    version: 1,
    type: "stock.low",
    severity: "warning",
    state: "open",
    site: null,
    subject: "s",
    opened_at: "2026-11-23T05:00:00Z",
    ...more,
  };
}

describe("the large figures", () => {
  it("add up what the lists show", () => {
    const trucks = [
      truck("a", { load_units: 5, late_s: 310 }),
      truck("b", { load_units: 7, late_s: -5 }),
    ];
    const kpis = kpisOf([stock("sha", "1"), stock("hgh", "1", { on_hand: 4 })], trucks, [
      alert("x"),
    ]);
    expect(kpis).toMatchObject({
      stockUnits: 14,
      products: 1,
      transitUnits: 12,
      loadedTrucks: 2,
      onTime: 0.5,
      openAlerts: 1,
      warning: 1,
    });
  });

  it("never call an unknown arrival on time", () => {
    expect(kpisOf([], [truck("a", { late_s: null })], []).onTime).toBeNull();
  });
});

describe("the stock panel", () => {
  it("keeps sites in order and zones in the order goods pass them", () => {
    const items = [
      stock("hgh", "1", { by_zone: { reserve: 6, dock: 4 } }),
      stock("hgh", "2", { by_zone: { reserve: 1, attic: 9 } }),
    ];
    expect(stockBySite(items, ["sha", "hgh"])).toEqual([
      { site: "sha", units: 0, zones: [] },
      {
        site: "hgh",
        units: 20,
        zones: [
          { zone: "dock", units: 4 },
          { zone: "reserve", units: 7 },
          { zone: "attic", units: 9 },
        ],
      },
    ]);
  });

  it("lists what is below its reorder point, the emptiest first", () => {
    const items = [
      stock("sha", "1", { on_hand: 9, reorder_point: 10 }),
      stock("sha", "2", { on_hand: 0, reorder_point: 10 }),
      stock("sha", "3", { on_hand: 10, reorder_point: 10 }),
      stock("sha", "4", { on_hand: 0 }),
    ];
    expect(lowStock(items).map((each) => each.gtin)).toEqual(["2", "1"]);
  });
});

describe("alerts", () => {
  it("come most severe first, then newest, and without the cleared ones", () => {
    const list = [
      alert("old"),
      alert("new", { opened_at: "2026-11-23T05:30:00Z" }),
      alert("worst", { severity: "critical" }),
      alert("over", { state: "cleared" }),
    ];
    expect(openAlerts(list).map((each) => each.key)).toEqual(["worst", "new", "old"]);
  });

  it("lead to their vehicle by vehicle, shipment or figures", () => {
    const fleet = new Map([["t1", truck("t1", { shipment: "shp-1" })]]);
    expect(vehicleOf(alert("a", { subject: "t1" }), fleet)).toBe("t1");
    expect(vehicleOf(alert("a", { subject: "shp-1" }), fleet)).toBe("t1");
    expect(vehicleOf(alert("a", { figures: { vehicle: "t1" } }), fleet)).toBe("t1");
    expect(vehicleOf(alert("a"), fleet)).toBeNull();
  });
});

describe("the fact of an alert", () => {
  it("is its first sentence, with decimals and pallet numbers left whole", () => {
    expect(factOf("Truck 沪A·1 is 1.2 km off its route. 1 order is hit: SO-1. Call.")).toBe(
      "Truck 沪A·1 is 1.2 km off its route.",
    );
    expect(factOf("车辆偏离路线 1.2 公里。请联系司机。")).toBe("车辆偏离路线 1.2 公里。");
    expect(factOf("no stop at all")).toBe("no stop at all");
  });
});

describe("the fact in few words, for a crowded panel", () => {
  it("says codes by their end and leaves out a closing remark, in both languages", () => {
    expect(
      briefly("Shipment SH2611231831-003 (truck 沪A·B6603) is 14 minutes late (02:57, not 02:42)."),
    ).toBe("Shipment …1831-003 (truck 沪A·B6603) is 14 minutes late.");
    expect(briefly("托盘 495270019411021239 应装车辆 沪A·Q6342（运单 SH2611231831-013）。")).toBe(
      "托盘 …11021239 应装车辆 沪A·Q6342。",
    );
    expect(briefly("Servo motor, 400 W: 46 on hand.")).toBe("Servo motor, 400 W: 46 on hand.");
  });

  it("names a place without its town", () => {
    expect(["SIP Precision, Suzhou", "Changxing Battery", "南京栖霞汽配"].map(placeOnly)).toEqual([
      "SIP Precision",
      "Changxing Battery",
      "南京栖霞汽配",
    ]);
  });
});

describe("alerts without room for all", () => {
  it("keep the critical ones in place and show each of the others in turn", () => {
    const list = [alert("c", { severity: "critical" }), alert("w1"), alert("w2"), alert("w3")];
    const second = [0, 1, 2, 3].map((turn) => inTurn(list, 3, turn)[1]?.key);
    expect(second).toEqual(["w1", "w2", "w3", "w1"]);
    expect([0, 1, 2].map((turn) => inTurn(list, 3, turn)[0]?.key)).toEqual(["c", "c", "c"]);
  });

  it("take turns among critical ones too, when there are more than can be pinned", () => {
    const list = ["a", "b", "c"].map((key) => alert(key, { severity: "critical" }));
    expect(inTurn(list, 1, 1).map((each) => each.key)).toEqual(["a", "c", "b"]);
    expect(inTurn([], 3, 5)).toEqual([]);
  });

  it("show the telling end of a long order code", () => {
    expect([shortCode("SO-10421"), shortCode("SO2611231804-037")]).toEqual([
      "SO-10421",
      "…1804-037",
    ]);
  });
});

describe("number plates in a sentence", () => {
  it("are found in both languages, so that they stay in one piece", () => {
    expect(aroundPlates("Truck 沪A·36669 is off.")).toEqual(["Truck ", "沪A·36669", " is off."]);
    expect(aroundPlates("应装车辆 苏B·D1234（运单 s1）。")[1]).toBe("苏B·D1234");
    expect(aroundPlates("Truck T07 is late.")).toEqual(["Truck T07 is late."]);
  });
});

describe("goods in transit", () => {
  it("put exceptions first and leave out empty trucks without a trip", () => {
    const fleet = [
      truck("fine", { load_units: 1, eta: "2026-11-23T07:00:00Z" }),
      truck("late", { load_units: 1, late_s: 600 }),
      truck("later", { load_units: 1, late_s: 900 }),
      truck("lost", { load_units: 1, off_route: true }),
      truck("empty"),
    ];
    const rows = transitRows(fleet, new Map(), NOW_MS);
    expect(rows.map((row) => row.key)).toEqual(["lost", "later", "late", "fine"]);
  });

  it("say how much of the way is done and name the stop in both languages", () => {
    const at = "2026-11-23T05:00:00Z";
    const stop = { seq: 1, lat: 32, lon: 121, window_start: at, window_end: at, arrived_at: null };
    const shipment = {
      shipment: "s1",
      vehicle: "a",
      from_site: "sha",
      status: "in_transit" as const,
      depart_at: at,
      route: [
        [121, 30],
        [121, 32],
      ] as [number, number][],
      stops: [{ ...stop, name: { en: "Nantong", zh: "南通" } }],
    };
    const fleet = [truck("a", { load_units: 1, shipment: "s1", destination: "Nantong" })];
    const [row] = transitRows(fleet, new Map([["s1", shipment]]), NOW_MS);
    expect(row?.progress).toBeCloseTo(0.5, 3);
    expect(row?.destination).toEqual({ en: "Nantong", zh: "南通" });
  });
});

describe("the ticker", () => {
  it("shows the newest first and joins picks of one item after the other", () => {
    const movement = (key: string, second: number, more: Partial<MovementEntity> = {}) => ({
      key,
      version: 1,
      occurred_at: `2026-11-23T05:00:${String(second).padStart(2, "0")}Z`,
      biz_step: "picking",
      from_location: "sha/P-1",
      to_location: "sha/staging",
      gtin: "1",
      lot: "",
      lpn: "",
      quantity: 1,
      ...more,
    });
    const items = tickerItems(
      [movement("a", 1, { gtin: "9" }), movement("b", 2), movement("c", 3), movement("d", 4)],
      5,
    );
    expect(items.map((item) => [item.gtin, item.units])).toEqual([
      ["1", 3],
      ["9", 1],
    ]);
  });
});
