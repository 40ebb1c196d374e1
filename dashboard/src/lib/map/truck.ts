/**
 * One truck as drawn: where it is between two fixes and in what state. A new fix doesn't jump; the
 * difference to what was shown fades out. Between fixes it is dead-reckoned for five seconds at
 * most, then it stands, and after a minute without a fix it counts as stale and shows its age.
 */
import type { TransitEntity } from "../live/entities";
import { distance_m, moved, type LonLat } from "./geo";

export const RECKON_MAX_S = 5;
export const STALE_AFTER_S = 60;
/** Up to five minutes past the window still counts as in time, as in the api's figures. */
export const LATE_AFTER_S = 300;
const FADE_S = 1.5;
/** A difference beyond this is a correction to be seen at once, not a movement to be smoothed. */
const JUMP_M = 2000;
export const TRAIL_S = 15 * 60;
export const TRAIL_POINTS_MAX = 900;

export type TruckState = "moving" | "stopped" | "late" | "off_route" | "stale";

export interface TrailPoint {
  at_ms: number;
  lonLat: LonLat;
}

/** Off route outranks late, and a signal that is gone outranks both: nothing is known any more. */
export function truckState(entity: TransitEntity, now_ms: number): TruckState {
  if (fixAge_s(entity, now_ms) > STALE_AFTER_S) return "stale";
  if (entity.off_route === true) return "off_route";
  if ((entity.late_s ?? 0) > LATE_AFTER_S) return "late";
  return entity.motion === "moving" ? "moving" : "stopped";
}

/** At rest inside a known fence: there a map has nothing to add. */
export function inYard(entity: TransitEntity): boolean {
  return entity.motion !== "moving" && typeof entity.at_fence === "string";
}

export function fixAge_s(entity: TransitEntity, now_ms: number): number {
  if (entity.fix_time === null) return Infinity;
  return (now_ms - Date.parse(entity.fix_time)) / 1000;
}

export class Truck {
  readonly trail: TrailPoint[] = [];
  private offset: LonLat = [0, 0];
  private offsetAt_ms = 0;

  constructor(
    public entity: TransitEntity,
    now_ms: number,
  ) {
    this.extendTrail(now_ms);
  }

  /** Takes the newer state of this vehicle. Times are the server's clock. */
  update(entity: TransitEntity, now_ms: number): void {
    const shown = this.at(now_ms);
    const before = this.entity.fix_time;
    this.entity = entity;
    if (entity.fix_time === before) return;
    const wanted = this.reckoned(now_ms);
    this.offset = [0, 0];
    if (shown !== null && wanted !== null && distance_m(shown, wanted) < JUMP_M) {
      this.offset = [shown[0] - wanted[0], shown[1] - wanted[1]];
      this.offsetAt_ms = now_ms;
    }
    this.extendTrail(now_ms);
  }

  /** Where to draw it now, or null when it never had a fix. */
  at(now_ms: number): LonLat | null {
    const base = this.reckoned(now_ms);
    if (base === null) return null;
    const left = Math.max(0, 1 - (now_ms - this.offsetAt_ms) / 1000 / FADE_S);
    return [base[0] + this.offset[0] * left, base[1] + this.offset[1] * left];
  }

  /** Older points, from the store; the trail stays in order of time. */
  prependTrail(points: TrailPoint[]): void {
    const first_ms = this.trail[0]?.at_ms ?? Infinity;
    this.trail.unshift(...points.filter((point) => point.at_ms < first_ms));
  }

  private reckoned(now_ms: number): LonLat | null {
    const { lat, lon, speed_mps, course_deg_true, motion } = this.entity;
    if (lat === null || lon === null) return null;
    if (motion !== "moving" || speed_mps === null || course_deg_true === null) return [lon, lat];
    const ahead_s = Math.min(RECKON_MAX_S, Math.max(0, fixAge_s(this.entity, now_ms)));
    return moved([lon, lat], course_deg_true, speed_mps * ahead_s);
  }

  private extendTrail(now_ms: number): void {
    const { lat, lon, fix_time } = this.entity;
    if (lat === null || lon === null || fix_time === null) return;
    const at_ms = Date.parse(fix_time);
    if (at_ms > (this.trail.at(-1)?.at_ms ?? -Infinity)) {
      this.trail.push({ at_ms, lonLat: [lon, lat] });
    }
    const tooOld = this.trail.findIndex((point) => point.at_ms > now_ms - TRAIL_S * 1000);
    const surplus = Math.max(tooOld, this.trail.length - TRAIL_POINTS_MAX);
    if (surplus > 0) this.trail.splice(0, surplus);
  }
}
