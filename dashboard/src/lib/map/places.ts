/** What stands still on the map's canvas: sites, stops, cities and the scale. */
import { wordFor } from "../i18n";
import { FONT } from "../view/tokens";
import { cities } from "./cities";
import { distance_m, type LonLat } from "./geo";
import { drawSite } from "./glyphs";
import { LABEL_REM, write } from "./lettering";
import { NAMES_FROM_ZOOM, type Brush } from "./scene";

const SITE_REM = 0.85;

export function blockSites({ project, scene, sheet, space }: Brush): void {
  const r = sheet.rem * SITE_REM;
  for (const site of scene.sites) {
    const { x, y } = project(site.lonLat);
    space.block({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
  }
}

export function drawSites(brush: Brush): void {
  const { ctx, project, scene, sheet } = brush;
  const r = sheet.rem * SITE_REM;
  for (const site of scene.sites) {
    const { x, y } = project(site.lonLat);
    ctx.save();
    ctx.translate(x, y);
    drawSite(ctx, r, scene.palette);
    ctx.restore();
  }
  for (const site of scene.sites) {
    const { x, y } = project(site.lonLat);
    const text = site.name[scene.lang] ?? site.name["en"] ?? "";
    write(brush, { text, x, y, gap: r * 1.5, weight: 600, colour: scene.palette.text, must: true });
  }
}

export function drawStops(brush: Brush): void {
  const { ctx, project, scene, sheet, space } = brush;
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
    space.block({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
  }
  if (scene.zoom < NAMES_FROM_ZOOM) return;
  for (const stop of scene.stops) {
    const { x, y } = project(stop.lonLat);
    const text = stop.name[scene.lang] ?? stop.name["en"] ?? "";
    const label = { text, x, y, gap: r * 2.2, weight: 400, colour: scene.palette.muted };
    write(brush, label);
  }
}

export function drawCities(brush: Brush): void {
  const { ctx, project, scene, sheet } = brush;
  const rankMax = scene.zoom < 3.8 ? 1 : scene.zoom < 5.2 ? 2 : 3;
  const dot = sheet.rem * 0.18;
  for (const city of cities) {
    if (city.rank > rankMax) continue;
    const { x, y } = project(city.lonLat);
    if (x < 0 || y < 0 || x > sheet.width || y > sheet.height) continue;
    const text = wordFor({ en: city.en, zh: city.zh }, scene.lang);
    const label = { text, x, y, gap: sheet.rem * 0.55, weight: 400, colour: scene.palette.muted };
    if (!write(brush, label)) continue;
    ctx.fillStyle = scene.palette.muted;
    ctx.beginPath();
    ctx.arc(x, y, dot, 0, Math.PI * 2);
    ctx.fill();
  }
}

const SCALE_STEPS_KM = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** A bar of a round length, bottom left. */
export function drawScale(brush: Brush): void {
  const { ctx, project, scene, sheet, space } = brush;
  const { centre } = scene;
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
