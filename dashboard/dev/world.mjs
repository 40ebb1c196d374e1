/** The invented fleet and warehouses of dev/feed.mjs: enough of everything to look at. */

const SITES = [
  { site: "sha", name: { en: "Shanghai Jiading", zh: "上海嘉定仓" }, lat: 31.385, lon: 121.25 },
  { site: "hgh", name: { en: "Hangzhou Xiaoshan", zh: "杭州萧山仓" }, lat: 30.19, lon: 120.28 },
];

/** Way points of real trunk roads, coarse. */
const ROUTES = [
  [
    "Nanjing",
    "南京",
    [
      [121.25, 31.385],
      [120.98, 31.38],
      [120.62, 31.36],
      [120.3, 31.62],
      [119.97, 31.84],
      [119.45, 32.1],
      [119.1, 32.08],
      [118.82, 32.04],
    ],
  ],
  [
    "Hefei",
    "合肥",
    [
      [121.25, 31.385],
      [120.62, 31.36],
      [119.97, 31.84],
      [119.45, 32.1],
      [118.82, 31.95],
      [118.3, 31.98],
      [117.85, 31.86],
      [117.27, 31.84],
    ],
  ],
  [
    "Nantong",
    "南通",
    [
      [121.25, 31.385],
      [121.05, 31.62],
      [120.98, 31.78],
      [120.9, 31.97],
    ],
  ],
  [
    "Ningbo",
    "宁波",
    [
      [120.28, 30.19],
      [120.58, 30.06],
      [120.95, 30.03],
      [121.25, 29.98],
      [121.53, 29.87],
    ],
  ],
  [
    "Jinhua",
    "金华",
    [
      [120.28, 30.19],
      [120.24, 29.82],
      [120.1, 29.45],
      [119.85, 29.2],
      [119.66, 29.1],
    ],
  ],
  [
    "Suzhou Industrial Park",
    "苏州工业园区",
    [
      [121.25, 31.385],
      [121.0, 31.36],
      [120.78, 31.31],
      [120.68, 31.29],
    ],
  ],
  [
    "Wuxi",
    "无锡",
    [
      [121.25, 31.385],
      [120.98, 31.39],
      [120.6, 31.42],
      [120.32, 31.56],
    ],
  ],
  [
    "Jiaxing",
    "嘉兴",
    [
      [120.28, 30.19],
      [120.42, 30.42],
      [120.6, 30.62],
      [120.75, 30.74],
    ],
  ],
  [
    "Huzhou",
    "湖州",
    [
      [120.28, 30.19],
      [120.16, 30.42],
      [120.1, 30.7],
      [120.1, 30.86],
    ],
  ],
  [
    "Wenzhou",
    "温州",
    [
      [120.28, 30.19],
      [120.75, 29.7],
      [121.05, 29.2],
      [121.25, 28.7],
      [121.0, 28.3],
      [120.72, 28.02],
    ],
  ],
  [
    "Yangzhou",
    "扬州",
    [
      [121.25, 31.385],
      [120.3, 31.62],
      [119.97, 31.84],
      [119.6, 32.1],
      [119.42, 32.38],
    ],
  ],
  [
    "Xuancheng",
    "宣城",
    [
      [120.28, 30.19],
      [119.9, 30.35],
      [119.6, 30.65],
      [119.15, 30.85],
      [118.76, 30.93],
    ],
  ],
];

const PRODUCTS = [
  ["Jasmine tea 500 ml", "茉莉花茶 500 毫升"],
  ["Oolong tea bags 100", "乌龙茶包 100 袋"],
  ["Rice noodles 400 g", "米粉 400 克"],
  ["Sunflower oil 5 l", "葵花籽油 5 升"],
  ["Soy sauce 1.8 l", "生抽酱油 1.8 升"],
  ["Sparkling water 330 ml", "苏打气泡水 330 毫升"],
  ["Oat biscuits 250 g", "燕麦饼干 250 克"],
  ["Laundry liquid 3 kg", "洗衣液 3 千克"],
];

const LONG_ZH = "有机冷榨特级初榨双低菜籽油家庭装五升礼盒限量版";
const LONG_EN =
  "Organic cold-pressed extra-virgin rapeseed oil, family gift box, limited edition 5 l";
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

function makeAlerts(scene, trucks, products) {
  if (scene === "calm") return [];
  const ago = (s) => new Date(Date.now() - s * 1000).toISOString();
  const alert = (key, type, severity, subject, opened_s, orders, en, zh) => ({
    ...head(key),
    type,
    severity,
    state: "open",
    site: "sha",
    subject,
    opened_at: ago(opened_s),
    orders,
    text: { en, zh },
  });
  const late = trucks[2];
  const list = [
    alert(
      "a1",
      "shipment.late_predicted",
      "critical",
      "shp-t03",
      130,
      ["SO-10421", "SO-10422", "SO-10430"],
      `Shipment shp-t03 (truck ${late.plate}) will reach ${late.stop.en} about 28 minutes late (14:28, window ends 14:00). 3 orders are hit: SO-10421, SO-10422, SO-10430. Tell the receiver, or agree on a later window.`,
      `运单 shp-t03（车辆 ${late.plate}）预计到达${late.stop.zh}约晚 28 分钟（14:28，时间窗 14:00 截止）。影响 3 个订单：SO-10421、SO-10422、SO-10430。请通知收货方或改约时间。`,
    ),
    alert(
      "a2",
      "load.wrong_vehicle",
      "critical",
      "095011015300000047",
      700,
      ["SO-10388"],
      `Pallet 095011015300000047 was loaded on truck ${trucks[5].plate} at door sha/dock-2, but belongs on truck ${trucks[6].plate} (shipment shp-t07). 1 order is hit: SO-10388. Take it off before the truck leaves.`,
      `托盘 095011015300000047 在 sha/dock-2 道口被装上车辆 ${trucks[5].plate}，应装车辆 ${trucks[6].plate}（运单 shp-t07）。影响 1 个订单：SO-10388。请在发车前卸下。`,
    ),
    alert(
      "a3",
      "receipt.short",
      "warning",
      "PO-2217",
      1900,
      [],
      "Purchase order PO-2217 from Acme Foods came short: 24 of Oolong tea bags 100 missing (96 of 120 received). Count again, then claim it from the supplier.",
      "采购单 PO-2217（Acme Foods）到货短少：乌龙茶包 100 袋 缺 24（应收 120，实收 96）。请复点后向供应商索赔。",
    ),
    alert(
      "a4",
      "stock.low",
      "warning",
      `sha/${products[1].gtin}`,
      4000,
      ["SO-10455"],
      `${products[1].name.en} runs low at Shanghai Jiading: 10 on hand, reorder point 40. 1 order is hit: SO-10455. Nothing is on order: reorder.`,
      `上海嘉定仓 的 ${products[1].name.zh} 库存偏低：现有 10，补货点 40。影响 1 个订单：SO-10455。没有在途采购，请补货。`,
    ),
  ];
  if (scene === "flood") {
    for (let i = 0; i < 16; i += 1) {
      list.push({ ...list[i % 4], ...head(`f${i}`), opened_at: ago(i * 300) });
    }
  }
  return list;
}

function offRoute(truck) {
  truck.off = true;
  return {
    ...head("a9"),
    type: "vehicle.off_route",
    severity: "critical",
    state: "open",
    site: null,
    subject: truck.id,
    opened_at: new Date().toISOString(),
    orders: ["SO-10402"],
    text: {
      en: `Truck ${truck.plate} is 1.2 km off the planned route of shipment shp-${truck.id}. 1 order is hit: SO-10402. Call the driver and ask why.`,
      zh: `车辆 ${truck.plate} 偏离运单 shp-${truck.id} 的计划路线 1.2 公里。影响 1 个订单：SO-10402。请联系司机了解原因。`,
    },
  };
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

function head(key) {
  return { key, version: Date.now() * 1000 };
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
