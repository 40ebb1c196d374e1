/**
 * The base map that needs no network: land and coast of Natural Earth (world-atlas, 1:10 m) from a
 * bundled file, a graticule, the planned routes. No border line is drawn anywhere: which one is right
 * is not for a dispatch screen to say; who needs them sets a licensed map of their own.
 */
import type { FeatureCollection, LineString } from "geojson";
import type { GeoJSONSource, Map as GlMap, StyleSpecification } from "maplibre-gl";
import { feature } from "topojson-client";
import type { Topology } from "topojson-specification";
import landUrl from "world-atlas/land-10m.json?url";

import type { Palette } from "../view/tokens";
import { taihu, yangtze } from "./cities";
import type { LonLat } from "./geo";

const LAND_TIMEOUT_MS = 60_000;
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

/** A style without `glyphs` and `sprite`: nothing is fetched but what the page itself ships. */
export function baseStyle(palette: Palette): StyleSpecification {
  const route = { "line-join": "round", "line-cap": "round" } as const;
  return {
    version: 8,
    sources: {
      land: { type: "geojson", data: NOTHING, maxzoom: 9, tolerance: 0.3 },
      graticule: { type: "geojson", data: graticule(), maxzoom: 6 },
      inland: { type: "geojson", data: inlandWater() },
      routes: { type: "geojson", data: NOTHING },
    },
    layers: [
      { id: "water", type: "background", paint: { "background-color": palette.water } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": palette.land } },
      {
        id: "graticule",
        type: "line",
        source: "graticule",
        paint: { "line-color": palette.graticule, "line-width": 1 },
      },
      {
        id: "river",
        type: "line",
        source: "inland",
        filter: ["==", ["geometry-type"], "LineString"],
        layout: route,
        paint: {
          "line-color": palette.inland,
          "line-width": ["interpolate", ["exponential", 2], ["zoom"], 5, 1.5, 8, 5, 12, 60],
        },
      },
      {
        id: "lake",
        type: "fill",
        source: "inland",
        filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": palette.inland },
      },
      {
        id: "coast",
        type: "line",
        source: "land",
        paint: { "line-color": palette.coast, "line-width": 1 },
      },
      {
        id: "routes",
        type: "line",
        source: "routes",
        layout: route,
        paint: { "line-color": palette.route, "line-width": 2, "line-opacity": 0.75 },
      },
    ],
  };
}

/** Loads the land once; resolves to false when the file could not be had (the rest still works). */
export async function loadLand(map: GlMap): Promise<boolean> {
  const response = await fetch(landUrl, { signal: AbortSignal.timeout(LAND_TIMEOUT_MS) });
  if (!response.ok) return false;
  const topology = (await response.json()) as Topology;
  const land = topology.objects["land"];
  if (land === undefined) return false;
  const source = map.getSource<GeoJSONSource>("land");
  await source?.setData(feature(topology, land));
  return true;
}

export function showRoutes(map: GlMap, routes: readonly LonLat[][]): void {
  const features = routes.map((route) => line(route));
  void map
    .getSource<GeoJSONSource>("routes")
    ?.setData({ type: "FeatureCollection", features } satisfies FeatureCollection);
}

/** `scale` is 1 at 1080p and 2 at 4K: lines keep their weight on a larger screen. */
export function restyle(map: GlMap, palette: Palette, scale: number): void {
  map.setPaintProperty("graticule", "line-width", scale);
  map.setPaintProperty("coast", "line-width", scale);
  map.setPaintProperty("routes", "line-width", 2 * scale);
  map.setPaintProperty("water", "background-color", palette.water);
  map.setPaintProperty("land", "fill-color", palette.land);
  map.setPaintProperty("lake", "fill-color", palette.inland);
  map.setPaintProperty("river", "line-color", palette.inland);
  map.setPaintProperty("graticule", "line-color", palette.graticule);
  map.setPaintProperty("coast", "line-color", palette.coast);
  map.setPaintProperty("routes", "line-color", palette.route);
}

/** A hairline each whole degree. */
function graticule(): FeatureCollection<LineString> {
  const lines: LonLat[][] = [];
  for (let lon = -180; lon < 180; lon += 1) {
    lines.push([
      [lon, -80],
      [lon, 80],
    ]);
  }
  for (let lat = -80; lat <= 80; lat += 1) {
    lines.push(Array.from({ length: 37 }, (_, i): LonLat => [-180 + i * 10, lat]));
  }
  return { type: "FeatureCollection", features: lines.map((each) => line(each)) };
}

function inlandWater(): FeatureCollection {
  const lake = { type: "Polygon" as const, coordinates: [taihu] };
  return {
    type: "FeatureCollection",
    features: [line(yangtze), { type: "Feature", properties: {}, geometry: lake }],
  };
}

function line(coordinates: LonLat[]): FeatureCollection<LineString>["features"][number] {
  return { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } };
}
