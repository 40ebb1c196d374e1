/** The invented alerts of dev/feed.mjs, in the words of the real ones. */

export function makeAlerts(scene, trucks, products) {
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

export function offRoute(truck) {
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

/** Key and version that each live entity has. */
export function head(key) {
  return { key, version: Date.now() * 1000 };
}
