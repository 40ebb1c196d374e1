/**
 * The live map as one object for the page: MapLibre draws the base, a canvas above it draws trucks
 * and names at ten frames a second, the camera decides where to look. The page hands in the newest
 * entities; nothing here asks the server.
 */
import "maplibre-gl/dist/maplibre-gl.css";

import { Map as GlMap, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

import { messages, type Lang } from "../i18n";
import type { TransitEntity } from "../live/entities";
import { tokens, type Theme } from "../view/tokens";
import { baseStyle, loadLand, restyle, showRoutes } from "./basemap";
import { Camera, FOLLOW_ZOOM, type View } from "./camera";
import { boxOf, type LonLat } from "./geo";
import { drawScene } from "./overlay";
import type { Mark, Scene } from "./scene";
import { Truck, type TrailPoint } from "./truck";

setWorkerUrl(workerUrl);

const FRAME_MS = 100;
const CAMERA_MS = 500;
const EASE_MS = 2500;
const LAND_RETRY_MS = 30_000;
/** Zooms are meant for 1080p; a larger screen shows the same country with more pixels. */
const REM_1080P = 16;
/** A fleet in one yard is still shown with some country around it. */
const FIT_ZOOM_MAX = 10;

export interface Setting {
  lang: Lang;
  theme: Theme;
}

export class FleetMap {
  private readonly gl: GlMap;
  private readonly ctx: CanvasRenderingContext2D;
  private readonly camera = new Camera();
  private readonly trucks = new Map<string, Truck>();
  private readonly still = matchMedia("(prefers-reduced-motion: reduce)");
  private sites: Mark[] = [];
  private stops: Mark[] = [];
  private routes: LonLat[][] = [];
  private drawnAt_ms = 0;
  private cameraAt_ms = 0;
  private frame = 0;
  private ready = false;
  private destroyed = false;

  /** Raises when the browser has no WebGL. `now_ms` is the server's clock. */
  constructor(
    container: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private setting: Setting,
    private readonly now_ms: () => number,
    private readonly onFollow: (vehicle: string | null) => void,
  ) {
    const ctx = canvas.getContext("2d");
    if (ctx === null) throw new Error("no 2D canvas");
    this.ctx = ctx;
    this.gl = new GlMap({
      container,
      style: baseStyle(tokens[setting.theme]),
      center: [119.5, 31.2],
      zoom: 6,
      maxZoom: 14,
      interactive: false,
      attributionControl: false,
      fadeDuration: 0,
    });
    this.gl.on("load", () => this.loaded());
    this.gl.on("render", () => this.draw());
    this.gl.on("resize", () => {
      this.camera.forgetView();
      this.restyle();
    });
    this.frame = requestAnimationFrame(() => this.tick());
  }

  setSetting(setting: Setting): void {
    const recoloured = setting.theme !== this.setting.theme;
    this.setting = setting;
    if (recoloured) this.restyle();
    this.draw();
  }

  setSites(sites: Mark[]): void {
    this.sites = sites;
  }

  setStops(stops: Mark[]): void {
    this.stops = stops;
  }

  setRoutes(routes: LonLat[][]): void {
    this.routes = routes;
    if (this.ready) showRoutes(this.gl, routes);
  }

  /** Takes the whole current fleet; returns the vehicles that are new. */
  setFleet(fleet: Iterable<TransitEntity>): string[] {
    const now_ms = this.now_ms();
    const gone = new Set(this.trucks.keys());
    const added: string[] = [];
    for (const entity of fleet) {
      gone.delete(entity.key);
      const truck = this.trucks.get(entity.key);
      if (truck !== undefined) {
        if (truck.entity !== entity) truck.update(entity, now_ms);
        continue;
      }
      this.trucks.set(entity.key, new Truck(entity, now_ms));
      added.push(entity.key);
    }
    for (const vehicle of gone) this.trucks.delete(vehicle);
    return added;
  }

  addTrail(vehicle: string, points: TrailPoint[]): void {
    this.trucks.get(vehicle)?.prependTrail(points);
  }

  follow(vehicle: string): void {
    this.camera.follow(vehicle);
  }

  destroy(): void {
    this.destroyed = true;
    cancelAnimationFrame(this.frame);
    this.gl.remove();
  }

  private loaded(): void {
    this.ready = true;
    this.restyle();
    showRoutes(this.gl, this.routes);
    this.fetchLand();
  }

  /** The rest of the map works without its land; it is asked for again until it is there. */
  private fetchLand(): void {
    const again = (reason: unknown) => {
      if (this.destroyed) return;
      console.warn("land_not_loaded", reason);
      setTimeout(() => this.fetchLand(), LAND_RETRY_MS);
    };
    loadLand(this.gl).then((drawn) => drawn || again("refused"), again);
  }

  private restyle(): void {
    if (this.ready) restyle(this.gl, tokens[this.setting.theme], this.rem() / REM_1080P);
  }

  private tick(): void {
    this.frame = requestAnimationFrame(() => this.tick());
    const now_ms = performance.now();
    if (now_ms - this.cameraAt_ms >= CAMERA_MS) {
      this.cameraAt_ms = now_ms;
      this.look();
    }
    if (now_ms - this.drawnAt_ms >= FRAME_MS) this.draw();
  }

  private look(): void {
    const now_ms = this.now_ms();
    const points = this.sites.map((site) => site.lonLat);
    for (const truck of this.trucks.values()) {
      const at = truck.at(now_ms);
      if (at !== null) points.push(at);
    }
    const find = (vehicle: string) => this.trucks.get(vehicle)?.at(now_ms) ?? null;
    const before = this.camera.followed;
    const view = this.camera.next(boxOf(points), now_ms, find);
    if (view !== null) this.move(view);
    if (this.camera.followed !== before) this.onFollow(this.camera.followed);
  }

  private move(view: View): void {
    const duration = this.still.matches ? 0 : EASE_MS;
    if (view.kind === "vehicle") {
      this.gl.easeTo({ center: view.centre, zoom: FOLLOW_ZOOM + this.zoomExtra(), duration });
      return;
    }
    const { west, south, east, north } = view.box;
    const padding = this.rem() * 3;
    const maxZoom = FIT_ZOOM_MAX + this.zoomExtra();
    this.gl.fitBounds([west, south, east, north], { padding, maxZoom, duration });
  }

  private draw(): void {
    this.drawnAt_ms = performance.now();
    const sheet = this.sheet();
    const { lng, lat } = this.gl.getCenter();
    const scene: Scene = {
      sites: this.sites,
      stops: this.stops,
      trucks: this.trucks.values(),
      followed: this.camera.followed,
      now_ms: this.now_ms(),
      centre: [lng, lat],
      zoom: this.gl.getZoom() - this.zoomExtra(),
      lang: this.setting.lang,
      words: messages[this.setting.lang],
      palette: tokens[this.setting.theme],
    };
    drawScene(this.ctx, (lonLat) => this.gl.project(lonLat), scene, sheet);
  }

  /** Keeps the canvas as sharp as the display, whatever its size. */
  private sheet(): { width: number; height: number; rem: number } {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = devicePixelRatio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== wide || this.canvas.height !== high) {
      this.canvas.width = wide;
      this.canvas.height = high;
    }
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { width, height, rem: this.rem() };
  }

  private zoomExtra(): number {
    return Math.log2(this.rem() / REM_1080P);
  }

  private rem(): number {
    return parseFloat(getComputedStyle(document.documentElement).fontSize);
  }
}
