/**
 * Everything that moves or is written, drawn on a 2D canvas above the base map: trails, trucks and
 * their names, and around them the places. So a moving truck costs no repaint of the WebGL map under
 * it, and text is the system's own. Reads a `Scene`, knows nothing of where it comes from.
 */
import { age } from "../view/format";
import { drawTruck, stateColour } from "./glyphs";
import { LabelSpace, type Rect } from "./labels";
import { write } from "./lettering";
import { blockSites, drawCities, drawScale, drawSites, drawStops } from "./places";
import { NAMES_FROM_ZOOM, type Brush, type Project, type Scene, type Sheet } from "./scene";
import { fixAge_s, TRAIL_S, truckState, type Truck, type TruckState } from "./truck";

const BODY_REM = 0.8;

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
  const [w, h] = [sheet.width - 2 * margin, sheet.height - 2 * margin];
  const space = new LabelSpace({ x: margin, y: margin, w, h });
  const brush: Brush = { ctx, project, scene, sheet, space };
  const spots = spotsOf(scene, project);
  for (const spot of spots) drawTrail(brush, spot);
  for (const spot of spots) {
    const half = reach(brush, spot);
    const square = { x: spot.x - half, y: spot.y - half, w: 2 * half, h: 2 * half };
    if (stands(spot, scene)) space.block(square);
    else space.blockSoftly(square);
  }
  if (scene.followed !== null) space.block(captionOf(sheet));
  drawScale(brush);
  for (const spot of spots) if (!stands(spot, scene)) drawSpot(brush, spot);
  const first = [...spots].reverse();
  blockSites(brush);
  for (const spot of first) if (stands(spot, scene)) labelTruck(brush, spot);
  drawSites(brush);
  for (const spot of first) if (!stands(spot, scene)) labelTruck(brush, spot);
  drawStops(brush);
  drawCities(brush);
  for (const spot of spots) if (stands(spot, scene)) drawSpot(brush, spot);
}

/** Top left the page says whom the map follows. */
function captionOf({ rem }: Sheet): Rect {
  return { x: 0, y: 0, w: 18 * rem, h: 4 * rem };
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

/** Exceptions stand above sites and names; the others below, so that a full yard hides no site. */
function stands(spot: Spot, scene: Scene): boolean {
  return rank(spot, scene) >= RANK.late;
}

function drawTrail({ ctx, project, scene, sheet }: Brush, spot: Spot): void {
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

function drawSpot({ ctx, scene, sheet }: Brush, spot: Spot): void {
  const { entity } = spot.truck;
  ctx.save();
  ctx.translate(spot.x, spot.y);
  const glyph = {
    state: spot.state,
    moving: entity.motion === "moving",
    course_deg_true: entity.course_deg_true ?? 0,
  };
  drawTruck(ctx, glyph, sheet.rem * BODY_REM, scene.palette);
  ctx.restore();
}

function labelTruck(brush: Brush, spot: Spot): void {
  const { scene, sheet } = brush;
  const text = truckLabel(spot, scene);
  if (text === null) return;
  const { x, y } = spot;
  const gap = reach(brush, spot) + sheet.rem * 0.35;
  const must = stands(spot, scene);
  write(brush, { text, x, y, gap, weight: 600, colour: labelColour(spot, scene), must });
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
    return `${entity.plate} ${words.late(Math.floor((entity.late_s ?? 0) / 60))}`;
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
function reach({ sheet }: Brush, spot: Spot): number {
  const r = sheet.rem * BODY_REM;
  if (spot.state === "off_route") return r * 2.2;
  return spot.state === "late" ? r * 1.9 : r;
}
