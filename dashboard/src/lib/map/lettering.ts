/** Names on the map's canvas: placed where there is room, with a halo of the ground's colour. */
import { FONT } from "../view/tokens";
import type { Brush } from "./scene";

export const LABEL_REM = 1.75;

export interface Label {
  text: string;
  x: number;
  y: number;
  gap: number;
  weight: number;
  colour: string;
  /** Written even where it covers something. */
  must?: boolean;
}

/** False when there was no room. */
export function write(brush: Brush, label: Label): boolean {
  const { ctx, scene, sheet, space } = brush;
  const size = sheet.rem * LABEL_REM;
  ctx.font = `${label.weight} ${size}px ${FONT}`;
  const { x, y, gap } = label;
  const w = textWidth(ctx, label.text);
  const wish = { x, y, w, h: size * 1.1, gap };
  const forced = () => space.place(wish, true) ?? space.force(wish);
  const place = space.place(wish) ?? (label.must === true ? forced() : null);
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
