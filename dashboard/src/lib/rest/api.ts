/**
 * The REST calls the screen makes. A cookie signs them in, or the device token as a bearer. Raises
 * ApiError with the HTTP status (0: the server was not reached).
 */
export type Words = Record<string, string>;

export interface Site {
  site: string;
  name: Words;
  lat: number;
  lon: number;
  time_zone: string;
}

export interface Product {
  gtin: string;
  name: Words;
  unit: string;
}

export interface Stop {
  seq: number;
  name: Words;
  lat: number;
  lon: number;
  window_start: string;
  window_end: string;
  arrived_at: string | null;
}

export interface Shipment {
  shipment: string;
  vehicle: string;
  from_site: string;
  status: ShipmentStatus;
  depart_at: string;
  /** [lon, lat] vertices, WGS 84. */
  route: [number, number][];
  stops: Stop[];
}

export interface TrackPoint {
  time: string;
  lat: number;
  lon: number;
  speed_mps: number | null;
  course_deg_true: number | null;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(`${status} ${detail}`);
  }
}

const TIMEOUT_MS = 10_000;
/** A list longer than this many pages of a thousand is cut; a screen can't show it anyway. */
const PAGES_MAX = 10;

export type ShipmentStatus = "planned" | "loading" | "in_transit" | "arrived";

export class Api {
  constructor(private readonly token: () => string | null) {}

  me(): Promise<{ user: string; role: string }> {
    return this.call("me");
  }

  login(username: string, password: string): Promise<{ user: string; role: string }> {
    return this.call("login", { username, password });
  }

  sites(): Promise<Site[]> {
    return this.items("sites", {});
  }

  products(): Promise<Product[]> {
    return this.items("products", {});
  }

  shipments(status: ShipmentStatus): Promise<Shipment[]> {
    return this.items("shipments", { status });
  }

  track(vehicle: string, minutes: number): Promise<TrackPoint[]> {
    return this.items(`vehicles/${encodeURIComponent(vehicle)}/track`, {
      minutes: String(minutes),
    });
  }

  /** GET of a path below /api/v1, for the pages that have lists of their own. */
  get<T>(path: string, timeout_ms = TIMEOUT_MS): Promise<T> {
    return this.call(path, undefined, timeout_ms);
  }

  /** A file, and the name that the server gives it. */
  async file(path: string, timeout_ms: number): Promise<{ blob: Blob; name: string }> {
    const response = await this.ask(path, undefined, timeout_ms);
    const said = response.headers.get("Content-Disposition") ?? "";
    return { blob: await response.blob(), name: /filename="([^"]+)"/.exec(said)?.[1] ?? "report" };
  }

  private async items<T>(path: string, filters: Record<string, string>): Promise<T[]> {
    const all: T[] = [];
    const query = new URLSearchParams({ ...filters, limit: "1000" });
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const page = await this.call<{ items: T[]; next?: string | null }>(`${path}?${query}`);
      all.push(...page.items);
      if (typeof page.next !== "string") break;
      query.set("cursor", page.next);
    }
    return all;
  }

  private async call<T>(path: string, body?: unknown, timeout_ms = TIMEOUT_MS): Promise<T> {
    return (await (await this.ask(path, body, timeout_ms)).json()) as T;
  }

  private async ask(path: string, body: unknown, timeout_ms: number): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    const token = this.token();
    if (token !== null) headers["Authorization"] = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    try {
      response = await fetch(`/api/v1/${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers,
        credentials: "same-origin",
        signal: AbortSignal.timeout(timeout_ms),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      throw new ApiError(0, "unreachable");
    }
    if (!response.ok) throw new ApiError(response.status, await detailOf(response));
    return response;
  }
}

async function detailOf(response: Response): Promise<string> {
  try {
    const answer = (await response.json()) as { detail?: unknown };
    return typeof answer.detail === "string" ? answer.detail : response.statusText;
  } catch {
    return response.statusText;
  }
}
