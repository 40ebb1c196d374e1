/**
 * What the panels show, worked out of the live entities; pure, so every figure on the wall has a
 * test. Sums are over what is on the screen: the lists and the large figures can't disagree.
 */
import type {
  AlertEntity,
  MovementEntity,
  Severity,
  StockEntity,
  TransitEntity,
} from "../lib/live/entities";
import { routeProgress, type LonLat } from "../lib/map/geo";
import { LATE_AFTER_S, truckState, type TruckState } from "../lib/map/truck";
import type { Shipment, Words } from "../lib/rest/api";

export interface Kpis {
  stockUnits: number;
  products: number;
  transitUnits: number;
  loadedTrucks: number;
  /** Share of trips predicted to be in time, 0 to 1; null when none is under way. */
  onTime: number | null;
  onTimeTrips: number;
  judgedTrips: number;
  openAlerts: number;
  critical: number;
  warning: number;
}

export function kpisOf(
  stock: readonly StockEntity[],
  transit: readonly TransitEntity[],
  alerts: readonly AlertEntity[],
): Kpis {
  const loaded = transit.filter((each) => (each.load_units ?? 0) > 0);
  const judged = transit.filter((each) => isNumber(each.late_s));
  const good = judged.filter((each) => (each.late_s ?? 0) <= LATE_AFTER_S).length;
  return {
    stockUnits: sum(stock, (each) => each.on_hand),
    products: new Set(stock.filter((each) => each.on_hand > 0).map((each) => each.gtin)).size,
    transitUnits: sum(loaded, (each) => each.load_units ?? 0),
    loadedTrucks: loaded.length,
    onTime: judged.length === 0 ? null : good / judged.length,
    onTimeTrips: good,
    judgedTrips: judged.length,
    openAlerts: alerts.length,
    critical: alerts.filter((each) => each.severity === "critical").length,
    warning: alerts.filter((each) => each.severity === "warning").length,
  };
}

export interface SiteStock {
  site: string;
  units: number;
  zones: { zone: string; units: number }[];
}

const ZONE_ORDER = ["dock", "staging", "pick", "reserve"];

/** Stock by zone per site, zones in the order goods pass them, sites in the order given. */
export function stockBySite(stock: readonly StockEntity[], order: readonly string[]): SiteStock[] {
  const sites = new Map<string, Map<string, number>>();
  for (const site of order) sites.set(site, new Map());
  for (const entity of stock) {
    const zones = sites.get(entity.site) ?? new Map<string, number>();
    sites.set(entity.site, zones);
    for (const [zone, units] of Object.entries(entity.by_zone ?? {})) {
      zones.set(zone, (zones.get(zone) ?? 0) + units);
    }
  }
  return [...sites].map(([site, zones]) => ({
    site,
    units: sum(stock, (each) => (each.site === site ? each.on_hand : 0)),
    zones: [...zones]
      .map(([zone, units]) => ({ zone, units }))
      .sort((a, b) => zoneRank(a.zone) - zoneRank(b.zone) || a.zone.localeCompare(b.zone)),
  }));
}

/** Below the reorder point, the emptiest first. */
export function lowStock(stock: readonly StockEntity[]): StockEntity[] {
  const share = (each: StockEntity) => each.on_hand / Math.max(1, each.reorder_point ?? 1);
  return stock
    .filter((each) => isNumber(each.reorder_point) && each.on_hand < (each.reorder_point ?? 0))
    .sort((a, b) => share(a) - share(b) || a.key.localeCompare(b.key));
}

const SEVERITY_ORDER: Severity[] = ["critical", "warning", "info"];

/** Open ones, most severe first, then newest first. */
export function openAlerts(alerts: Iterable<AlertEntity>): AlertEntity[] {
  return [...alerts]
    .filter((each) => each.state === "open")
    .sort(
      (a, b) =>
        SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) ||
        Date.parse(b.opened_at) - Date.parse(a.opened_at) ||
        a.key.localeCompare(b.key),
    );
}

/**
 * The fact of an alert: the first sentence of its text. The orders it hits have a place of their own
 * and what to do about it belongs to whoever takes it on, not on the wall.
 */
export function factOf(text: string): string {
  return /^.*?(?:[。！？]|[.!?](?=\s|$))/s.exec(text)?.[0] ?? text;
}

/**
 * The same fact where there is little room: codes by their telling end, and without the remark in
 * brackets it may close with.
 */
export function briefly(fact: string): string {
  return fact
    .replace(/\s*[(（][^()（）]*[)）]([.。]?)$/, "$1")
    .replace(/\b(?:[A-Z]{2})?\d{9,}(?:-\d+)?\b/g, shortCode);
}

/** A place without the town behind its comma; where that is, the map shows. */
export function placeOnly(name: string): string {
  return name.split(/[,，]/, 1)[0] ?? name;
}

/** A text cut so that every other piece (1, 3, …) is a number plate, not to be broken over lines. */
export function aroundPlates(text: string): string[] {
  return text.split(/([\u4e00-\u9fff][A-Z]\s?[·•・-]?\s?[A-Z0-9]{4,6})/);
}

/** Long order codes differ at their end; that is the part worth showing from afar. */
export function shortCode(code: string): string {
  return code.length <= 12 ? code : `…${code.slice(-8)}`;
}

/** Which alerts have a place when there is not room for all: the first critical ones keep theirs, the
 * others take turns. `turn` counts up. */
export function inTurn(
  alerts: readonly AlertEntity[],
  pinnedMax: number,
  turn: number,
): AlertEntity[] {
  const critical = alerts.filter((each) => each.severity === "critical").length;
  const pinned = Math.min(critical, pinnedMax);
  const rest = alerts.slice(pinned);
  const start = rest.length === 0 ? 0 : turn % rest.length;
  return [...alerts.slice(0, pinned), ...rest.slice(start), ...rest.slice(0, start)];
}

/** The vehicle an alert is about, by its subject or its figures; null when it is about none. */
export function vehicleOf(
  alert: AlertEntity,
  transit: ReadonlyMap<string, TransitEntity>,
): string | null {
  const { vehicle, shipment } = alert.figures ?? {};
  for (const hint of [alert.subject, vehicle, shipment]) {
    if (typeof hint !== "string") continue;
    if (transit.has(hint)) return hint;
    for (const each of transit.values()) {
      if (each.shipment === hint || each.plate === hint) return each.key;
    }
  }
  return null;
}

export interface TransitRow {
  key: string;
  plate: string;
  state: TruckState;
  moving: boolean;
  course_deg_true: number;
  /** Name of the next stop by language, as far as it is known. */
  destination: Words | null;
  eta: string | null;
  /** What the ETA rests on. */
  model: "learned" | "pace" | "straight_line" | null;
  late_s: number | null;
  fixTime: string | null;
  units: number;
  /** 0 to 1, or null without a planned route or a fix. */
  progress: number | null;
}

const STATE_ORDER: TruckState[] = ["off_route", "late", "stale", "moving", "stopped"];

/** What is loaded or under way, exceptions first (latest first), then by ETA. */
export function transitRows(
  transit: readonly TransitEntity[],
  shipments: ReadonlyMap<string, Shipment>,
  now_ms: number,
): TransitRow[] {
  return transit
    .filter((each) => (each.load_units ?? 0) > 0 || isNumber(each.late_s))
    .map((each) => transitRow(each, shipments, now_ms))
    .sort(
      (a, b) =>
        STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
        (a.state === "late" ? (b.late_s ?? 0) - (a.late_s ?? 0) : 0) ||
        (a.eta ?? "~").localeCompare(b.eta ?? "~") ||
        a.key.localeCompare(b.key),
    );
}

function transitRow(
  each: TransitEntity,
  shipments: ReadonlyMap<string, Shipment>,
  now_ms: number,
): TransitRow {
  const route = shipments.get(each.shipment ?? "")?.route ?? [];
  const known = each.lat !== null && each.lon !== null && route.length > 1;
  const at: LonLat = [each.lon ?? 0, each.lat ?? 0];
  return {
    key: each.key,
    plate: each.plate,
    state: truckState(each, now_ms),
    moving: each.motion === "moving",
    course_deg_true: each.course_deg_true ?? 0,
    destination: stopName(each, shipments),
    eta: each.eta ?? null,
    model: each.eta_model ?? null,
    late_s: each.late_s ?? null,
    fixTime: each.fix_time,
    units: each.load_units ?? 0,
    progress: known ? routeProgress(route, at) : null,
  };
}

/** From the entity; where that has no Chinese name, the shipment may know one. */
function stopName(each: TransitEntity, shipments: ReadonlyMap<string, Shipment>): Words | null {
  const name = each.destination ?? null;
  if (name === null) return null;
  if (typeof each.destination_zh === "string") return { en: name, zh: each.destination_zh };
  const stops = shipments.get(each.shipment ?? "")?.stops ?? [];
  return stops.find((stop) => Object.values(stop.name).includes(name))?.name ?? { en: name };
}

export interface TickerItem {
  key: string;
  occurred_at: string;
  biz_step: string;
  gtin: string;
  from: string;
  to: string;
  units: number;
}

/** Newest first; picks of one item after the other join into one line. */
export function tickerItems(movements: Iterable<MovementEntity>, max: number): TickerItem[] {
  const newest = [...movements].sort(
    (a, b) => Date.parse(b.occurred_at) - Date.parse(a.occurred_at) || b.key.localeCompare(a.key),
  );
  const items: TickerItem[] = [];
  for (const each of newest) {
    const last = items.at(-1);
    const same =
      last !== undefined &&
      last.biz_step === each.biz_step &&
      last.gtin === each.gtin &&
      last.to === each.to_location &&
      last.from === each.from_location;
    if (same) {
      last.units += each.quantity;
      continue;
    }
    if (items.length === max) break;
    items.push({
      key: each.key,
      occurred_at: each.occurred_at,
      biz_step: each.biz_step,
      gtin: each.gtin,
      from: each.from_location,
      to: each.to_location,
      units: each.quantity,
    });
  }
  return items;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function zoneRank(zone: string): number {
  const rank = ZONE_ORDER.indexOf(zone);
  return rank === -1 ? ZONE_ORDER.length : rank;
}

function isNumber(value: number | null | undefined): value is number {
  return typeof value === "number";
}
