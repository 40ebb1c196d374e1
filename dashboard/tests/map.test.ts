import { describe, expect, it } from "vitest";

import type { TransitEntity } from "../src/lib/live/entities";
import { Camera, FOLLOW_QUEUE_MAX, FOLLOW_S } from "../src/lib/map/camera";
import { boxOf, distance_m, moved, routeProgress, type LonLat } from "../src/lib/map/geo";
import { LabelSpace } from "../src/lib/map/labels";
import { inYard, Truck, TRAIL_POINTS_MAX, truckState } from "../src/lib/map/truck";

const T0_MS = Date.parse("2026-11-23T06:00:00Z");
const iso = (s: number) => new Date(T0_MS + s * 1000).toISOString();

function fix(s: number, lat: number, more: Partial<TransitEntity> = {}): TransitEntity {
  return {
    key: "t1",
    version: s,
    vehicle: "t1",
    plate: "沪A·1",
    lat,
    lon: 121,
    speed_mps: 20,
    course_deg_true: 0,
    fix_time: iso(s),
    motion: "moving",
    ...more,
  };
}

describe("a truck between two fixes", () => {
  const start: LonLat = [121, 31];

  it("moves on by its speed, for five seconds at most", () => {
    const truck = new Truck(fix(0, 31), T0_MS);
    const gone_m = (s: number) => distance_m(start, truck.at(T0_MS + s * 1000) as LonLat);
    expect(gone_m(3)).toBeCloseTo(60, 0);
    expect(gone_m(5)).toBeCloseTo(100, 0);
    expect(gone_m(40)).toBeCloseTo(100, 0);
  });

  it("does not creep when it stands", () => {
    const truck = new Truck(fix(0, 31, { motion: "stopped", speed_mps: 0.4 }), T0_MS);
    expect(truck.at(T0_MS + 5000)).toEqual(start);
  });

  it("does not jump at a new fix, and is at it soon after", () => {
    const truck = new Truck(fix(0, 31), T0_MS);
    const now_ms = T0_MS + 10_000;
    const before = truck.at(now_ms) as LonLat;
    truck.update(fix(10, 31.005), now_ms);
    expect(distance_m(before, truck.at(now_ms) as LonLat)).toBeLessThan(1);
    const later = truck.at(now_ms + 2000) as LonLat;
    expect(distance_m(later, moved([121, 31.005], 0, 40))).toBeLessThan(1);
  });

  it("shows a large correction at once", () => {
    const truck = new Truck(fix(0, 31), T0_MS);
    truck.update(fix(1, 32), T0_MS + 1000);
    expect(distance_m([121, 32], truck.at(T0_MS + 1000) as LonLat)).toBeLessThan(1);
  });

  it("keeps a bounded trail in order of time, the past before the present", () => {
    const truck = new Truck(fix(0, 31), T0_MS);
    for (let s = 1; s < 1200; s += 1) truck.update(fix(s, 31 + s * 1e-4), T0_MS + s * 1000);
    expect(truck.trail.length).toBeLessThanOrEqual(TRAIL_POINTS_MAX);
    const late = new Truck(fix(100, 31), T0_MS + 100_000);
    late.prependTrail([
      { at_ms: T0_MS, lonLat: start },
      { at_ms: T0_MS + 200_000, lonLat: start },
    ]);
    expect(late.trail.map((point) => point.at_ms)).toEqual([T0_MS, T0_MS + 100_000]);
  });

  it("is drawn nowhere before its first fix", () => {
    const truck = new Truck(fix(0, 31, { lat: null, lon: null, fix_time: null }), T0_MS);
    expect(truck.at(T0_MS)).toBeNull();
  });
});

describe("the state of a truck", () => {
  it("is silent without fixes, whatever it was before", () => {
    expect(truckState(fix(0, 31, { off_route: true }), T0_MS + 61_000)).toBe("stale");
  });

  it("ranks off route above late, and late only beyond the tolerance", () => {
    expect(truckState(fix(0, 31, { off_route: true, late_s: 900 }), T0_MS)).toBe("off_route");
    expect(truckState(fix(0, 31, { late_s: 301 }), T0_MS)).toBe("late");
    expect(truckState(fix(0, 31, { late_s: 300 }), T0_MS)).toBe("moving");
    expect(truckState(fix(0, 31, { late_s: null, motion: "unknown" }), T0_MS)).toBe("stopped");
  });
});

describe("a truck in a yard", () => {
  it("is one that rests there; one that stands on the road is worth a look", () => {
    expect(inYard(fix(0, 31, { motion: "stopped", at_fence: "site-sha" }))).toBe(true);
    expect(inYard(fix(0, 31, { motion: "stopped", at_fence: null }))).toBe(false);
    expect(inYard(fix(0, 31, { at_fence: "site-sha" }))).toBe(false);
  });
});

describe("the camera", () => {
  const box = { west: 120, south: 30, east: 122, north: 32 };
  const anywhere = (): LonLat => [121, 31];

  it("fits the fleet once and then stands still while trucks drive within it", () => {
    const camera = new Camera();
    expect(camera.next(box, 0, anywhere)).toEqual({ kind: "fleet", box });
    expect(camera.next({ ...box, east: 122.1 }, 1000, anywhere)).toBeNull();
    expect(camera.next({ ...box, east: 123 }, 2000, anywhere)?.kind).toBe("fleet");
  });

  it("looks at the vehicle of an alert for a while, then back at the fleet", () => {
    const camera = new Camera();
    camera.next(box, 0, anywhere);
    camera.follow("t1");
    expect(camera.next(box, 1000, anywhere)).toMatchObject({ kind: "vehicle", vehicle: "t1" });
    expect(camera.followed).toBe("t1");
    expect(camera.next(box, 5000, anywhere)).toBeNull();
    expect(camera.next(box, 1000 + FOLLOW_S * 1000, anywhere)?.kind).toBe("fleet");
    expect(camera.followed).toBeNull();
  });

  it("takes several alerts one after the other, a bounded number, each vehicle once", () => {
    const camera = new Camera();
    for (const vehicle of ["a", "a", "b", "c", "d"]) camera.follow(vehicle);
    expect(camera.dropped).toBe(4 - FOLLOW_QUEUE_MAX);
    camera.next(box, 0, anywhere);
    expect(camera.next(box, FOLLOW_S * 1000, anywhere)).toMatchObject({ vehicle: "b" });
  });

  it("passes over a vehicle that has no position", () => {
    const camera = new Camera();
    camera.follow("ghost");
    expect(camera.next(box, 0, () => null)?.kind).toBe("fleet");
  });
});

describe("geometry", () => {
  it("agrees with a known distance", () => {
    // Shanghai to Nanjing: about 270 km.
    expect(distance_m([121.47, 31.23], [118.78, 32.06]) / 1000).toBeCloseTo(270, -1);
  });

  it("measures progress along the route, also off it and beyond its ends", () => {
    const route: LonLat[] = [
      [121, 31],
      [121, 32],
      [121, 33],
    ];
    expect(routeProgress(route, [121.05, 31.5])).toBeCloseTo(0.25, 2);
    expect(routeProgress(route, [121, 34])).toBe(1);
    expect(routeProgress([], [121, 31])).toBe(0);
  });

  it("has no box without points", () => {
    expect(boxOf([])).toBeNull();
  });
});

describe("labels", () => {
  it("never cover one another and stay inside", () => {
    const space = new LabelSpace({ x: 0, y: 0, w: 100, h: 100 });
    const wish = { x: 50, y: 50, w: 30, h: 10, gap: 5 };
    const placed = Array.from({ length: 6 }, () => space.place(wish));
    expect(placed.filter((place) => place !== null)).toHaveLength(4);
    expect(space.place({ ...wish, x: 200 })).toBeNull();
  });

  it("cover an ordinary truck only where they have to be read", () => {
    const space = new LabelSpace({ x: 0, y: 0, w: 100, h: 100 });
    space.blockSoftly({ x: 0, y: 0, w: 100, h: 100 });
    const wish = { x: 50, y: 50, w: 30, h: 10, gap: 5 };
    expect(space.place(wish)).toBeNull();
    expect(space.place(wish, true)).not.toBeNull();
  });
});
