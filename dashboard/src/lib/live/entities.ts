/**
 * What the live channels carry, one type per channel: the same structs as the Python contract
 * (core/waystock/contract/live.py). A field the server leaves out has its default there, so every
 * field with a default is optional here. Times are ISO 8601 in UTC.
 */

export interface EntityHead {
  key: string;
  /** Grows with every change of this key; an older one is thrown away. */
  version: number;
  captured_at?: string | null;
  gone?: boolean;
}

/** Stock of one product at one site; key `{site}/{gtin}`. */
export interface StockEntity extends EntityHead {
  site: string;
  gtin: string;
  on_hand: number;
  reserved?: number;
  by_zone?: Record<string, number>;
  reorder_point?: number | null;
}

export type Motion = "moving" | "stopped" | "unknown";

/** One vehicle, its last fix, and what it carries; key = vehicle. */
export interface TransitEntity extends EntityHead {
  vehicle: string;
  plate: string;
  lat: number | null;
  lon: number | null;
  speed_mps: number | null;
  course_deg_true: number | null;
  fix_time: string | null;
  motion: Motion;
  at_fence?: string | null;
  shipment?: string | null;
  /** Name of the next stop in English, and in Chinese. */
  destination?: string | null;
  destination_zh?: string | null;
  remaining_m?: number | null;
  eta?: string | null;
  eta_p10?: string | null;
  eta_p90?: string | null;
  /** What `eta` rests on. */
  eta_model?: "learned" | "pace" | "straight_line" | null;
  window_end?: string | null;
  /** Predicted arrival minus window end; negative is early, null is unknown. */
  late_s?: number | null;
  off_route?: boolean;
  load_units?: number;
  load_lpns?: number;
  orders?: string[];
}

export type Severity = "critical" | "warning" | "info";

/** One alert episode; key = alert_id. */
export interface AlertEntity extends EntityHead {
  type: string;
  severity: Severity;
  state: "open" | "cleared";
  site: string | null;
  subject: string;
  opened_at: string;
  cleared_at?: string | null;
  figures?: Record<string, number | string>;
  /** Sales orders that it hits, most urgent first. */
  orders?: string[];
  /** A sentence an operator would say, by language. */
  text?: Record<string, string>;
}

/** One ledger movement; key = its deterministic id. */
export interface MovementEntity extends EntityHead {
  occurred_at: string;
  biz_step: string;
  from_location: string;
  to_location: string;
  gtin: string;
  lot: string;
  lpn: string;
  quantity: number;
}

/** One gateway, or one device of it. */
export interface HealthEntity extends EntityHead {
  site: string;
  gateway: string;
  device: string | null;
  state: "online" | "offline" | "silent" | "unknown";
  last_seen: string | null;
  values?: Record<string, number>;
}

/** One figure; key `{site}/{name}`. */
export interface KpiEntity extends EntityHead {
  site: string;
  name: string;
  value: number;
  unit: string;
}

export interface EntityOf {
  stock: StockEntity;
  transit: TransitEntity;
  alerts: AlertEntity;
  movements: MovementEntity;
  health: HealthEntity;
  kpi: KpiEntity;
}

export type Channel = keyof EntityOf;
