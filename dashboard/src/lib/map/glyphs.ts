/**
 * The shapes of the map, drawn with canvas paths: a truck's body says whether it moves (arrow by
 * heading, square), the frame around it says what is wrong (ring late, diamond off route), a broken
 * circle that its signal is gone. Colour only repeats what the shape says. The legend uses the same.
 */
import type { Palette } from "../view/tokens";
import type { TruckState } from "./truck";

export interface TruckGlyph {
  state: TruckState;
  moving: boolean;
  course_deg_true: number;
}

/** Draws around (0, 0); `r` is the radius of the body in pixels. */
export function drawTruck(
  ctx: CanvasRenderingContext2D,
  glyph: TruckGlyph,
  r: number,
  palette: Palette,
): void {
  ctx.lineJoin = "round";
  ctx.lineWidth = r * 0.28;
  if (glyph.state === "stale") return staleCircle(ctx, r, palette);
  const colour = stateColour(glyph.state, palette);
  if (glyph.state === "late") frame(ctx, ringPath(r * 1.75), colour, palette);
  if (glyph.state === "off_route") frame(ctx, diamondPath(r * 2.2), colour, palette);
  ctx.save();
  if (glyph.moving) ctx.rotate((glyph.course_deg_true * Math.PI) / 180);
  const body = glyph.moving ? arrowPath(r) : squarePath(r * 0.72);
  ctx.strokeStyle = palette.halo;
  ctx.stroke(body);
  ctx.fillStyle = colour;
  ctx.fill(body);
  ctx.restore();
}

export function stateColour(state: TruckState, palette: Palette): string {
  switch (state) {
    case "off_route":
      return palette.criticalFill;
    case "late":
      return palette.warningFill;
    case "moving":
      return palette.accent;
    default:
      return palette.muted;
  }
}

export function drawSite(ctx: CanvasRenderingContext2D, r: number, palette: Palette): void {
  const house = new Path2D();
  house.moveTo(-r, r * 0.85);
  house.lineTo(-r, -r * 0.2);
  house.lineTo(0, -r);
  house.lineTo(r, -r * 0.2);
  house.lineTo(r, r * 0.85);
  house.closePath();
  ctx.lineJoin = "round";
  ctx.lineWidth = r * 0.5;
  ctx.strokeStyle = palette.halo;
  ctx.stroke(house);
  ctx.fillStyle = palette.text;
  ctx.fill(house);
  ctx.fillStyle = palette.halo;
  ctx.fillRect(-r * 0.42, r * 0.1, r * 0.84, r * 0.75);
}

function staleCircle(ctx: CanvasRenderingContext2D, r: number, palette: Palette): void {
  const circle = ringPath(r * 0.8);
  ctx.strokeStyle = palette.halo;
  ctx.lineWidth = r * 0.6;
  ctx.stroke(circle);
  ctx.strokeStyle = palette.muted;
  ctx.lineWidth = r * 0.26;
  ctx.setLineDash([r * 0.5, r * 0.34]);
  ctx.stroke(circle);
  ctx.setLineDash([]);
}

function frame(
  ctx: CanvasRenderingContext2D,
  path: Path2D,
  colour: string,
  palette: Palette,
): void {
  const width = ctx.lineWidth;
  ctx.strokeStyle = palette.halo;
  ctx.lineWidth = width * 1.9;
  ctx.stroke(path);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke(path);
}

function arrowPath(r: number): Path2D {
  const path = new Path2D();
  path.moveTo(0, -r * 1.15);
  path.lineTo(r * 0.86, r);
  path.lineTo(0, r * 0.52);
  path.lineTo(-r * 0.86, r);
  path.closePath();
  return path;
}

function squarePath(r: number): Path2D {
  const path = new Path2D();
  path.roundRect(-r, -r, r * 2, r * 2, r * 0.3);
  return path;
}

function ringPath(r: number): Path2D {
  const path = new Path2D();
  path.arc(0, 0, r, 0, Math.PI * 2);
  return path;
}

function diamondPath(r: number): Path2D {
  const path = new Path2D();
  path.moveTo(0, -r);
  path.lineTo(r, 0);
  path.lineTo(0, r);
  path.lineTo(-r, 0);
  path.closePath();
  return path;
}
