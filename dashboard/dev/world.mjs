/** The invented fleet and warehouses of dev/feed.mjs: enough of everything to look at. */
import { head, makeAlerts, offRoute } from "./alerts.mjs";
import { LONG_EN, LONG_ZH, PRODUCTS, ROUTES, SITES } from "./places.mjs";

const M_PER_DEG = 111_195;
const TRUCKS = 20;

export function makeWorld(scene) {
  const empty = scene === "empty";
  const long = scene === "long";
  const random = seeded(7);
  const products = PRODUCTS.concat(
    Array.from({ length: 190 }, (_, i) => [`Item ${i + 9}`, `商品 ${i + 9}`]),
  ).map(([en, zh], i) => ({
    gtin: String(9501101530003 + i * 11).padStart(14, "0"),
    name: long && i < 6 ? { en: LONG_EN, zh: LONG_ZH } : { en, zh },
    unit: "piece",
  }));
  const sites = SITES.map((site) => ({ ...site, time_zone: "Asia/Shanghai" }));
  const trucks = empty ? [] : Array.from({ length: TRUCKS }, (_, i) => makeTruck(i, random, long));
  const stock = empty ? new Map() : makeStock(products, random);
  const movements = new Map();
  const alerts = new Map(
    empty ? [] : makeAlerts(scene, trucks, products).map((each) => [each.key, each]),
  );
  const health = new Map(
    ["sha/gw-dock", "sha/gw-hall", "hgh/gw-dock", "fleet/gw-trucks"].map((key) => [
      key,
      gateway(key),
    ]),
  );
  const transit = new Map(trucks.map((truck) => [truck.id, entityOf(truck)]));
  let second = 0;

  if (!empty) for (let i = 0; i < 9; i += 1) addMovement();

  function addMovement() {
    const steps = [
      ["receiving", "supplier/acme", "sha/dock-2"],
      ["storing", "sha/dock-2", "sha/R-04-12"],
      ["picking", "sha/P-01-07", "sha/staging"],
      ["loading", "sha/staging", "vehicle/t03"],
    ];
    const [biz_step, from_location, to_location] = steps[Math.floor(random() * steps.length)];
    const product = products[Math.floor(random() * 8)];
    const movement = {
      ...head(`m${Date.now()}-${Math.floor(random() * 1e6)}`),
      occurred_at: new Date().toISOString(),
      biz_step,
      from_location,
      to_location,
      gtin: product.gtin,
      lot: "",
      lpn: "",
      quantity: 1 + Math.floor(random() * 60),
    };
    movements.set(movement.key, movement);
    return movement;
  }

  return {
    sites: empty ? [] : sites,
    products,
    shipments: trucks.map(shipmentOf),
    channel: (name) => ({ transit, stock, alerts, movements, health })[name] ?? new Map(),
    track: (id) => trackOf(trucks.find((truck) => truck.id === id)),
    step(dt_s) {
      second += 1;
      if (empty) return {};
      const moved = trucks.filter((truck) => truck.silent !== true);
      for (const truck of moved) advance(truck, dt_s);
      for (const truck of moved) transit.set(truck.id, entityOf(truck));
      const changes = { transit: moved.map((truck) => transit.get(truck.id)) };
      if (second % 3 === 0) changes.movements = [addMovement()];
      if (second % 3 === 0) changes.stock = [sell(stock, random)];
      if (second === 25 && scene === "normal") {
        const alert = offRoute(trucks[4]);
        alerts.set(alert.key, alert);
        changes.alerts = [alert];
      }
      return changes;
    },
  };
}

function makeTruck(i, random, long) {
  const [en, zh, route] = ROUTES[i % ROUTES.length];
  const lengths = route.slice(1).map((to, j) => metres(route[j], to));
  const total_m = lengths.reduce((a, b) => a + b, 0);
  const plates = ["沪A", "浙A", "苏B", "皖C"];
  return {
    id: `t${String(i + 1).padStart(2, "0")}`,
    plate: `${plates[i % 4]}·${10000 + Math.floor(random() * 89999)}`,
    destination: long ? `${zh}高新技术产业开发区综合保税物流配送中心` : en,
    from_site: route[0][0] > 121 ? "sha" : "hgh",
    stop: { en, zh },
    route,
    lengths,
    total_m,
    done_m: total_m * (0.12 + 0.76 * random()),
    speed_mps: i % 7 === 5 ? 0 : 17 + 6 * random(),
    late_s: i === 2 ? 1680 : i === 9 ? 540 : i % 5 === 3 ? -900 : Math.floor(-500 + random() * 400),
    units: i === 11 ? 0 : 120 + Math.floor(random() * 700),
    silent: i === 7,
    silentSince: new Date(Date.now() - 190_000).toISOString(),
    offset: 0,
  };
}

function advance(truck, dt_s) {
  truck.done_m = (truck.done_m + truck.speed_mps * dt_s) % truck.total_m;
  if (truck.off) truck.offset = Math.min(0.12, truck.offset + 0.0004);
}

function place(truck, done_m) {
  let left = done_m;
  for (let j = 0; j < truck.lengths.length; j += 1) {
    const [a, b] = [truck.route[j], truck.route[j + 1]];
    if (left <= truck.lengths[j]) {
      const share = left / truck.lengths[j];
      const course =
        (Math.atan2((b[0] - a[0]) * Math.cos(a[1] / 57.3), b[1] - a[1]) * 57.3 + 360) % 360;
      return {
        lon: a[0] + (b[0] - a[0]) * share + truck.offset,
        lat: a[1] + (b[1] - a[1]) * share,
        course,
      };
    }
    left -= truck.lengths[j];
  }
  const [lon, lat] = truck.route.at(-1);
  return { lon, lat, course: 0 };
}

function entityOf(truck) {
  const { lon, lat, course } = place(truck, truck.done_m);
  const remaining_m = truck.total_m - truck.done_m;
  const eta = new Date(
    Date.now() + (remaining_m / Math.max(8, truck.speed_mps)) * 1000,
  ).toISOString();
  return {
    ...head(truck.id),
    vehicle: truck.id,
    plate: truck.plate,
    lat,
    lon,
    speed_mps: truck.speed_mps,
    course_deg_true: course,
    fix_time: truck.silent ? truck.silentSince : new Date().toISOString(),
    motion: truck.speed_mps > 0 ? "moving" : "stopped",
    shipment: `shp-${truck.id}`,
    destination: truck.destination,
    remaining_m,
    eta,
    late_s: truck.late_s,
    off_route: truck.off === true,
    load_units: truck.units,
    load_lpns: Math.ceil(truck.units / 60),
    orders: ["SO-10421", "SO-10422"],
  };
}

function trackOf(truck) {
  if (truck === undefined) return [];
  return Array.from({ length: 90 }, (_, i) => {
    const ago_s = (90 - i) * 10;
    const { lon, lat } = place(truck, Math.max(0, truck.done_m - truck.speed_mps * ago_s));
    return {
      time: new Date(Date.now() - ago_s * 1000).toISOString(),
      lat,
      lon,
      speed_mps: truck.speed_mps,
      course_deg_true: 0,
    };
  });
}

function shipmentOf(truck) {
  const at = new Date().toISOString();
  const [lon, lat] = truck.route.at(-1);
  const stop = {
    seq: 1,
    name: truck.stop,
    lat,
    lon,
    window_start: at,
    window_end: at,
    arrived_at: null,
  };
  return {
    shipment: `shp-${truck.id}`,
    vehicle: truck.id,
    from_site: truck.from_site,
    status: "in_transit",
    depart_at: at,
    route: truck.route,
    stops: [stop],
  };
}

function makeStock(products, random) {
  const stock = new Map();
  for (const site of SITES) {
    products.forEach((product, i) => {
      const by_zone = {
        reserve: 40 + Math.floor(random() * 260),
        pick: 10 + Math.floor(random() * 60),
        ...(i % 9 === 0 ? { staging: 24 } : {}),
        ...(i % 13 === 0 ? { dock: 48 } : {}),
      };
      if (i === 3 || (i === 1 && site.site === "sha") || i === 12) {
        Object.assign(by_zone, { reserve: 0, pick: i === 12 ? 0 : 9 + i, dock: 0, staging: 0 });
      }
      const on_hand = Object.values(by_zone).reduce((a, b) => a + b, 0);
      const key = `${site.site}/${product.gtin}`;
      stock.set(key, {
        ...head(key),
        site: site.site,
        gtin: product.gtin,
        on_hand,
        by_zone,
        reorder_point: 40,
      });
    });
  }
  return stock;
}

function sell(stock, random) {
  const keys = [...stock.keys()];
  const before = stock.get(keys[Math.floor(random() * keys.length)]);
  const taken = Math.min(before.by_zone.pick, 3);
  const by_zone = { ...before.by_zone, pick: before.by_zone.pick - taken };
  const after = { ...before, ...head(before.key), on_hand: before.on_hand - taken, by_zone };
  stock.set(after.key, after);
  return after;
}

function gateway(key) {
  const [site, name] = key.split("/");
  return {
    ...head(key),
    site,
    gateway: name,
    device: null,
    state: "online",
    last_seen: new Date().toISOString(),
  };
}

function metres(a, b) {
  const dx = (b[0] - a[0]) * Math.cos(a[1] / 57.3);
  return Math.hypot(dx, b[1] - a[1]) * M_PER_DEG;
}

/** Mulberry32: the same world each time. */
function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
