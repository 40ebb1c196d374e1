/**
 * Everything that moves or is written, drawn on a 2D canvas above the base map: trails, sites,
 * trucks, names, scale. So a moving truck costs no repaint of the WebGL map under it, and text is the
 * system's own. Reads a `Scene`, knows nothing of where it comes from.
 */
import { wordFor, type Lang, type Messages } from "../i18n";
import { age } from "../view/format";
import { FONT, type Palette } from "../view/tokens";
import { cities } from "./cities";
import { distance_m, type LonLat } from "./geo";
import { drawSite, drawTruck, stateColour } from "./glyphs";
import { LabelSpace } from "./labels";
import { fixAge_s, TRAIL_S, truckState, type Truck, type TruckState } from "./truck";

export interface Mark {
  lonLat: LonLat;
  name: Record<string, string>;
}

export interface Scene {
  sites: Mark[];
  stops: Mark[];
  trucks: Iterable<Truck>;
  followed: string | null;
  now_ms: number;
  /** As it would be at 1080p. */
  zoom: number;
  lang: Lang;
  words: Messages;
  palette: Palette;
}

/** Size of the canvas in CSS pixels, and what one rem is. */
export interface Sheet {
  width: number;
  height: number;
  rem: number;
}

export type Project = (lonLat: LonLat) => { x: number; y: number };

const LABEL_REM = 1.75;
const BODY_REM = 0.8;
/** From this zoom on every truck carries its plate and every stop its name. */
const NAMES_FROM_ZOOM = 9;

interface Spot {
  truck: Truck;
  state: TruckState;
  x: number;
  y: number;
}

export function drawScene(
  ctx: CanvasRenderingContext2D,
  project: Project,
  scene: Scene,
  sheet: Sheet,
): void {
  ctx.clearRect(0, 0, sheet.width, sheet.height);
  const margin = sheet.rem * 0.5;
  const bounds = {
    x: margin,
    y: margin,
    w: sheet.width - 2 * margin,
    h: sheet.height - 2 * margin,
  };
  const space = new LabelSpace(bounds);
  const spots = spotsOf(scene, project);
  for (const spot of spots) drawTrail(ctx, spot, project, scene, sheet);
  const r = sheet.rem * BODY_REM;
  for (const spot of spots) {
    const half = reach(spot, r);
    space.block({ x: spot.x - half, y: spot.y - half, w: 2 * half, h: 2 * half });
  }
  drawScale(ctx, project, scene, sheet, space);
  drawSites(ctx, project, scene, sheet, space);
  labelTrucks(ctx, spots, scene, sheet, space);
  drawStops(ctx, project, scene, sheet, space);
  drawCities(ctx, project, scene, sheet, space);
  for (const spot of spots) drawSpot(ctx, spot, scene, r);
}

/** Exceptions last, so that they are drawn on top. */
function spotsOf(scene: Scene, project: Project): Spot[] {
  const spots: Spot[] = [];
  for (const truck of scene.trucks) {
    const at = truck.at(scene.now_ms);
    if (at === null) continue;
    const { x, y } = project(at);
    spots.push({ truck, state: truckState(truck.entity, scene.now_ms), x, y });
  }
  return spots.sort((a, b) => rank(a, scene) - rank(b, scene));
}

const RANK: Record<TruckState, number> = { stopped: 0, moving: 1, stale: 2, late: 3, off_route: 4 };

function rank(spot: Spot, scene: Scene): number {
  return spot.truck.entity.vehicle === scene.followed ? 9 : RANK[spot.state];
}

function drawTrail(
  ctx: CanvasRenderingContext2D,
  spot: Spot,
  project: Project,
  scene: Scene,
  sheet: Sheet,
): void {
  if (spot.state === "stale") return;
  ctx.strokeStyle = stateColour(spot.state, scene.palette);
  ctx.lineWidth = sheet.rem * 0.2;
  ctx.lineCap = "round";
  let last: { x: number; y: number } = spot;
  for (let i = spot.truck.trail.length - 1; i >= 0; i -= 1) {
    const point = spot.truck.trail[i];
    if (point === undefined) break;
    const next = project(point.lonLat);
    const far = Math.abs(next.x - last.x) + Math.abs(next.y - last.y) > sheet.rem * 0.25;
    if (!far && i > 0) continue;
    const fresh = 1 - (scene.now_ms - point.at_ms) / 1000 / TRAIL_S;
    if (fresh <= 0) break;
    ctx.globalAlpha = 0.1 + 0.6 * fresh;
    ctx.beginPath();
    ctx.moveTo(last.x, last.y);
    ctx.lineTo(next.x, next.y);
    ctx.stroke();
    last = next;
  }
  ctx.globalAlpha = 1;
}

function drawSpot(ctx: CanvasRenderingContext2D, spot: Spot, scene: Scene, r: number): void {
  const { entity } = spot.truck;
  ctx.save();
  ctx.translate(spot.x, spot.y);
  const glyph = {
    state: spot.state,
    moving: entity.motion === "moving",
    course_deg_true: entity.course_deg_true ?? 0,
  };
  drawTruck(ctx, glyph, r, scene.palette);
  ctx.restore();
}

function drawSites(
  ctx: CanvasRenderingContext2D,
  project: Project,
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): void {
  const r = sheet.rem * 0.85;
  for (const site of scene.sites) {
    const { x, y } = project(site.lonLat);
    space.block({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
    ctx.save();
    ctx.translate(x, y);
    drawSite(ctx, r, scene.palette);
    ctx.restore();
  }
  for (const site of scene.sites) {
    const { x, y } = project(site.lonLat);
    const text = site.name[scene.lang] ?? site.name["en"] ?? "";
    write(
      ctx,
      { text, x, y, gap: r * 1.5, weight: 600, colour: scene.palette.text },
      scene,
      sheet,
      space,
    );
  }
}

function labelTrucks(
  ctx: CanvasRenderingContext2D,
  spots: Spot[],
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): void {
  for (const spot of [...spots].reverse()) {
    const text = truckLabel(spot, scene);
    if (text === null) continue;
    const { x, y } = spot;
    const label = {
      text,
      x,
      y,
      gap: reach(spot, sheet.rem * BODY_REM) + sheet.rem * 0.35,
      weight: 600,
      colour: labelColour(spot, scene),
    };
    write(ctx, label, scene, sheet, space);
  }
}

function truckLabel(spot: Spot, scene: Scene): string | null {
  const { entity } = spot.truck;
  const { words } = scene;
  if (spot.state === "stale") {
    const silent_s = fixAge_s(entity, scene.now_ms);
    return `${entity.plate} ${words.ago(age(silent_s, words))}`;
  }
  if (spot.state === "off_route") return `${entity.plate} ${words.offRoute}`;
  if (spot.state === "late") {
    return `${entity.plate} ${words.late(Math.round((entity.late_s ?? 0) / 60))}`;
  }
  const named = scene.zoom >= NAMES_FROM_ZOOM || entity.vehicle === scene.followed;
  return named ? entity.plate : null;
}

function labelColour(spot: Spot, scene: Scene): string {
  if (spot.state === "off_route") return scene.palette.critical;
  if (spot.state === "late") return scene.palette.warning;
  return scene.palette.muted;
}

/** How far a glyph reaches from its middle; a frame makes it larger. */
function reach(spot: Spot, r: number): number {
  if (spot.state === "off_route") return r * 2.2;
  return spot.state === "late" ? r * 1.9 : r;
}

function drawStops(
  ctx: CanvasRenderingContext2D,
  project: Project,
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): void {
  const r = sheet.rem * 0.32;
  ctx.lineWidth = sheet.rem * 0.14;
  for (const stop of scene.stops) {
    const { x, y } = project(stop.lonLat);
    ctx.beginPath();
    ctx.arc(x, y, r, 0, Math.PI * 2);
    ctx.fillStyle = scene.palette.land;
    ctx.fill();
    ctx.strokeStyle = scene.palette.muted;
    ctx.stroke();
  }
  if (scene.zoom < NAMES_FROM_ZOOM) return;
  for (const stop of scene.stops) {
    const { x, y } = project(stop.lonLat);
    const text = stop.name[scene.lang] ?? stop.name["en"] ?? "";
    const label = { text, x, y, gap: r * 2.2, weight: 400, colour: scene.palette.muted };
    write(ctx, label, scene, sheet, space);
  }
}

function drawCities(
  ctx: CanvasRenderingContext2D,
  project: Project,
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): void {
  const rankMax = scene.zoom < 3.8 ? 1 : scene.zoom < 5.2 ? 2 : 3;
  const dot = sheet.rem * 0.18;
  for (const city of cities) {
    if (city.rank > rankMax) continue;
    const { x, y } = project(city.lonLat);
    if (x < 0 || y < 0 || x > sheet.width || y > sheet.height) continue;
    const text = wordFor({ en: city.en, zh: city.zh }, scene.lang);
    const label = { text, x, y, gap: sheet.rem * 0.55, weight: 400, colour: scene.palette.muted };
    if (!write(ctx, label, scene, sheet, space)) continue;
    ctx.fillStyle = scene.palette.muted;
    ctx.beginPath();
    ctx.arc(x, y, dot, 0, Math.PI * 2);
    ctx.fill();
  }
}

interface Label {
  text: string;
  x: number;
  y: number;
  gap: number;
  weight: number;
  colour: string;
}

function write(
  ctx: CanvasRenderingContext2D,
  label: Label,
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): boolean {
  const size = sheet.rem * LABEL_REM;
  ctx.font = `${label.weight} ${size}px ${FONT}`;
  const { x, y, gap } = label;
  const w = textWidth(ctx, label.text);
  const place = space.place({ x, y, w, h: size * 1.1, gap });
  if (place === null) return false;
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineWidth = size * 0.22;
  ctx.strokeStyle = scene.palette.halo;
  ctx.strokeText(label.text, place.x, place.y);
  ctx.fillStyle = label.colour;
  ctx.fillText(label.text, place.x, place.y);
  return true;
}

/** Measuring text is the dearest part of a frame; the same few words come back each time. */
const widths = new Map<string, number>();
const WIDTHS_MAX = 2000;

function textWidth(ctx: CanvasRenderingContext2D, text: string): number {
  const key = `${ctx.font}|${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  if (widths.size >= WIDTHS_MAX) widths.clear();
  const width = ctx.measureText(text).width;
  widths.set(key, width);
  return width;
}

const SCALE_STEPS_KM = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** A bar of a round length, bottom left. */
function drawScale(
  ctx: CanvasRenderingContext2D,
  project: Project,
  scene: Scene,
  sheet: Sheet,
  space: LabelSpace,
): void {
  const centre = cities[0]?.lonLat ?? [0, 0];
  const east: LonLat = [centre[0] + 0.1, centre[1]];
  const pxPerKm = ((project(east).x - project(centre).x) / distance_m(centre, east)) * 1000;
  const km = SCALE_STEPS_KM.findLast((step) => step * pxPerKm <= sheet.rem * 9) ?? 1;
  const width = km * pxPerKm;
  const [left, base] = [sheet.rem, sheet.height - sheet.rem];
  const size = sheet.rem * LABEL_REM;
  space.block({ x: 0, y: base - size * 1.6, w: width + 2 * sheet.rem, h: size * 2 });
  ctx.fillStyle = scene.palette.muted;
  ctx.fillRect(left, base - sheet.rem * 0.12, width, sheet.rem * 0.12);
  ctx.fillRect(left, base - sheet.rem * 0.5, sheet.rem * 0.12, sheet.rem * 0.5);
  ctx.fillRect(
    left + width - sheet.rem * 0.12,
    base - sheet.rem * 0.5,
    sheet.rem * 0.12,
    sheet.rem * 0.5,
  );
  ctx.font = `400 ${size}px ${FONT}`;
  ctx.textBaseline = "bottom";
  ctx.fillText(scene.words.kilometres(String(km)), left, base - sheet.rem * 0.6);
}
