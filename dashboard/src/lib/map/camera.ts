/**
 * What the map looks at: the whole fleet, and for some seconds a vehicle that a critical alert has
 * just named. Pure: asked each tick, answers the view it wants; the map moves there.
 */
import type { Box, LonLat } from "./geo";

export const FOLLOW_S = 12;
/** Some hundred kilometres across: near enough to name the truck, far enough to see where it is. */
export const FOLLOW_ZOOM = 9.2;
export const FOLLOW_QUEUE_MAX = 3;
/** The fleet's box may drift by this share of its size before the view follows. */
const SLACK = 0.12;

export type View =
  { kind: "fleet"; box: Box } | { kind: "vehicle"; vehicle: string; centre: LonLat };

export class Camera {
  /** Vehicles that had to be left out because too many alerts came at once. */
  dropped = 0;
  private queue: string[] = [];
  private until_ms = 0;
  private shown: Box | null = null;

  get followed(): string | null {
    return this.until_ms > 0 ? (this.queue[0] ?? null) : null;
  }

  follow(vehicle: string): void {
    if (this.queue.includes(vehicle)) return;
    if (this.queue.length >= FOLLOW_QUEUE_MAX) this.dropped += 1;
    else this.queue.push(vehicle);
  }

  /** The view to move to now, or null to stay. `at` finds a vehicle. */
  next(fleet: Box | null, now_ms: number, at: (vehicle: string) => LonLat | null): View | null {
    if (this.until_ms > 0) {
      if (now_ms < this.until_ms) return null;
      this.queue.shift();
      this.until_ms = 0;
      this.shown = null;
    }
    for (;;) {
      const vehicle = this.queue[0];
      if (vehicle === undefined) break;
      const centre = at(vehicle);
      if (centre !== null) {
        this.until_ms = now_ms + FOLLOW_S * 1000;
        return { kind: "vehicle", vehicle, centre };
      }
      this.queue.shift();
    }
    if (fleet === null || (this.shown !== null && similar(fleet, this.shown))) return null;
    this.shown = fleet;
    return { kind: "fleet", box: fleet };
  }

  /** The map has another size or shape: fit again at the next tick. */
  forgetView(): void {
    this.shown = null;
  }
}

function similar(a: Box, b: Box): boolean {
  const slack = SLACK * Math.max(b.east - b.west, b.north - b.south, 0.05);
  const edges: (keyof Box)[] = ["west", "east", "south", "north"];
  return edges.every((edge) => Math.abs(a[edge] - b[edge]) <= slack);
}
