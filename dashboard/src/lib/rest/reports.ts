/**
 * The REST calls of the page Reports, and what they answer (mirrors api/waystock_api/routes/reports.py).
 * Raises ApiError.
 */
import type { Lang } from "../i18n";
import type { Api, Words } from "./api";

export type Kind =
  "code" | "words" | "date" | "instant" | "number" | "share" | "choice" | "flag" | "money";

export interface Column {
  name: string;
  kind: Kind;
  heading: Record<Lang, string>;
  unit: Record<Lang, string> | null;
  decimals: number;
  is_summed: boolean;
  is_detail: boolean;
  names: string | null;
  choices: Record<string, Record<Lang, string>>;
}

export type Filter = "vehicle" | "site" | "carrier" | "customer";
export type Option = "per" | "by" | "grace_min";

export interface Report {
  name: string;
  title: Record<Lang, string>;
  columns: Column[];
  filters: Filter[];
  options: Option[];
  formats: string[];
  needs: "viewer" | "operator";
}

export interface Named {
  code: string;
  name: Words;
}

export interface Catalogue {
  items: Report[];
  vehicles: Named[];
  carriers: Named[];
  customers: Named[];
}

export type Row = Record<string, unknown>;

export interface Empty {
  why: "nothing_yet" | "outside" | "filters" | "nothing";
  first_day: string | null;
  last_day: string | null;
}

export interface ReportPage {
  first_day: string;
  last_day: string;
  time_zone: string;
  items: Row[];
  next: string | null;
  empty: Empty | null;
}

export interface Sums {
  rows: number;
  sums: Record<string, number | null>;
  money: Record<string, Record<string, number>>;
}

const PAGE_ROWS = 200;
const PAGE_TIMEOUT_MS = 60_000;
/** A file of a month of a large fleet takes a minute or two to be made. */
const WHOLE_TIMEOUT_MS = 600_000;

export class Reports {
  constructor(private readonly api: Api) {}

  catalogue(): Promise<Catalogue> {
    return this.api.get("reports");
  }

  page(name: string, asked: Record<string, string>, cursor: string | null): Promise<ReportPage> {
    const query = new URLSearchParams({ ...asked, limit: String(PAGE_ROWS) });
    if (cursor !== null) query.set("cursor", cursor);
    return this.api.get(`reports/${name}?${query}`, PAGE_TIMEOUT_MS);
  }

  sums(name: string, asked: Record<string, string>): Promise<Sums> {
    return this.api.get(`reports/${name}/sums?${new URLSearchParams(asked)}`, WHOLE_TIMEOUT_MS);
  }

  /** CSV comes with the mark by which Excel tells UTF-8: people open it there. */
  file(
    name: string,
    asked: Record<string, string>,
    format: string,
    lang: Lang,
  ): Promise<{ blob: Blob; name: string }> {
    const query = new URLSearchParams({ ...asked, format, lang });
    if (format === "csv") query.set("bom", "true");
    return this.api.file(`reports/${name}/file?${query}`, WHOLE_TIMEOUT_MS);
  }
}
