/** What there is to draw on the map's canvas, and what it is drawn with. */
import type { Lang, Messages } from "../i18n";
import type { Palette } from "../view/tokens";
import type { LonLat } from "./geo";
import type { LabelSpace } from "./labels";
import type { Truck } from "./truck";

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
  centre: LonLat;
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

/** One frame: the canvas, the scene, and the room that is left for names. */
export interface Brush {
  ctx: CanvasRenderingContext2D;
  project: Project;
  scene: Scene;
  sheet: Sheet;
  space: LabelSpace;
}

/** From this zoom on every truck carries its plate and every stop its name. */
export const NAMES_FROM_ZOOM = 9;
