/**
 * Small geometry on the sphere, WGS 84 degrees in, metres out; good to a fraction of a percent, which
 * is ample for drawing. Routes are lists of [lon, lat].
 */
export type LonLat = [number, number];

const EARTH_RADIUS_M = 6_371_008.8;
const RAD = Math.PI / 180;

export function distance_m(from: LonLat, to: LonLat): number {
  const dLat = (to[1] - from[1]) * RAD;
  const dLon = (to[0] - from[0]) * RAD;
  const half =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(from[1] * RAD) * Math.cos(to[1] * RAD) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

/** Where one is after `length_m` on `course_deg_true`; flat approximation, for a few kilometres. */
export function moved(from: LonLat, course_deg_true: number, length_m: number): LonLat {
  const north_m = Math.cos(course_deg_true * RAD) * length_m;
  const east_m = Math.sin(course_deg_true * RAD) * length_m;
  const perDegree_m = EARTH_RADIUS_M * RAD;
  return [
    from[0] + east_m / (perDegree_m * Math.cos(from[1] * RAD)),
    from[1] + north_m / perDegree_m,
  ];
}

/** Which part of the route (0 to 1) lies behind the point of it nearest to `at`. */
export function routeProgress(route: readonly LonLat[], at: LonLat): number {
  let total_m = 0;
  let best = { gap_m: Infinity, behind_m: 0 };
  for (let i = 1; i < route.length; i += 1) {
    const [a, b] = [route[i - 1] as LonLat, route[i] as LonLat];
    const length_m = distance_m(a, b);
    const share = alongSegment(a, b, at);
    const nearest: LonLat = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
    const gap_m = distance_m(nearest, at);
    if (gap_m < best.gap_m) best = { gap_m, behind_m: total_m + share * length_m };
    total_m += length_m;
  }
  return total_m === 0 ? 0 : best.behind_m / total_m;
}

function alongSegment(a: LonLat, b: LonLat, at: LonLat): number {
  const squeeze = Math.cos(at[1] * RAD);
  const [dx, dy] = [(b[0] - a[0]) * squeeze, b[1] - a[1]];
  const length2 = dx * dx + dy * dy;
  if (length2 === 0) return 0;
  const share = ((at[0] - a[0]) * squeeze * dx + (at[1] - a[1]) * dy) / length2;
  return Math.min(1, Math.max(0, share));
}

export interface Box {
  west: number;
  south: number;
  east: number;
  north: number;
}

export function boxOf(points: Iterable<LonLat>): Box | null {
  let box: Box | null = null;
  for (const [lon, lat] of points) {
    box ??= { west: lon, south: lat, east: lon, north: lat };
    box.west = Math.min(box.west, lon);
    box.east = Math.max(box.east, lon);
    box.south = Math.min(box.south, lat);
    box.north = Math.max(box.north, lat);
  }
  return box;
}
