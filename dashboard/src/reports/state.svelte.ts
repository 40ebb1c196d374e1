/**
 * The state of the page Reports: what is chosen (kept in the address, so that it can be sent to
 * somebody), and what the server answered. Upstream: Api and Reports. Downstream: the components.
 */
import { messages, pickLang, type Lang } from "../lib/i18n";
import { reportWords } from "../lib/i18n/reports";
import { Api, ApiError, type Site } from "../lib/rest/api";
import {
  Reports,
  type Catalogue,
  type Empty,
  type Filter,
  type Report,
  type Row,
  type Sums,
} from "../lib/rest/reports";
import type { DeviceToken } from "../lib/session/token";
import { pickTheme } from "../lib/view/setting";
import type { Theme } from "../lib/view/tokens";
import { isDay, presetOf, rangeOf, today, type Preset } from "./days";

const RETRY_MS = 3000;
const FILTERS: Filter[] = ["vehicle", "site", "carrier", "customer"];
const GRACE_MIN = "5";

/** A report as it was answered; stays while another is being chosen. */
export interface Shown {
  report: Report;
  asked: Record<string, string>;
  rows: Row[];
  zone: string;
  next: string | null;
  empty: Empty | null;
  /** Null while they are being added up. */
  sums: Sums | null;
}

export class ReportsState {
  lang = $state<Lang>("en");
  theme = $state<Theme>("light");
  access = $state<"asking" | "in" | "out">("asking");
  tokenRefused = $state(false);
  catalogue = $state.raw<Catalogue | null>(null);
  sites = $state.raw<Site[]>([]);
  name = $state("trips");
  first = $state("");
  last = $state("");
  zone = $state("UTC");
  filter = $state<Record<Filter, string>>({ vehicle: "", site: "", carrier: "", customer: "" });
  per = $state("day");
  by = $state("lane");
  grace = $state(GRACE_MIN);
  shown = $state.raw<Shown | null>(null);
  /** What is on the page is not what was asked for last. */
  busy = $state(false);
  making = $state<string | null>(null);
  problem = $state<string | null>(null);

  readonly words = $derived(reportWords[this.lang]);
  readonly messages = $derived(messages[this.lang]);
  readonly report = $derived(this.catalogue?.items.find((each) => each.name === this.name));
  readonly zones = $derived([...new Set(this.sites.map((site) => site.time_zone))]);
  readonly narrowed = $derived(
    (this.report?.filters ?? []).some((name) => this.filter[name] !== ""),
  );

  readonly api: Api;
  private readonly reports: Reports;
  private turn = 0;

  constructor(
    private readonly query: URLSearchParams,
    private readonly token: DeviceToken,
    private readonly now_ms: () => number,
    private readonly remember: (query: URLSearchParams) => void,
  ) {
    this.lang = pickLang(
      query.get("lang"),
      localStorage.getItem("waystock.lang"),
      navigator.languages,
    );
    this.theme = pickTheme(
      query.get("theme"),
      localStorage.getItem("waystock.reports.theme") ?? "light",
    );
    this.api = new Api(() => token.value);
    this.reports = new Reports(this.api);
    this.name = query.get("report") ?? "trips";
    for (const name of FILTERS) this.filter[name] = query.get(name) ?? "";
    this.per = query.get("per") ?? "day";
    this.by = query.get("by") ?? "lane";
    this.grace = query.get("grace_min") ?? GRACE_MIN;
  }

  get preset(): Preset {
    return presetOf(this.first, this.last, today(this.now_ms(), this.zone));
  }

  /** Asks who we are and which reports there are, then shows the one that the address names. */
  async enter(): Promise<void> {
    try {
      [this.sites, this.catalogue] = await Promise.all([
        this.api.sites(),
        this.reports.catalogue(),
      ]);
    } catch (error) {
      if (!this.failed(error)) setTimeout(() => void this.enter(), RETRY_MS);
      return;
    }
    this.access = "in";
    this.tokenRefused = false;
    this.problem = null;
    if (this.report === undefined) this.name = "trips";
    this.zone = this.query.get("time_zone") ?? this.usualZone();
    const [first, last] = [this.query.get("first_day"), this.query.get("last_day")];
    if (isDay(first) && isDay(last)) [this.first, this.last] = [first, last];
    else this.choosePreset("week");
    await this.show();
  }

  choosePreset(preset: Preset): void {
    if (preset === "own") return;
    [this.first, this.last] = rangeOf(preset, today(this.now_ms(), this.zone));
  }

  chooseSite(site: string): void {
    this.filter.site = site;
    this.zone = this.usualZone();
  }

  clearFilters(): void {
    for (const name of FILTERS) this.filter[name] = "";
    void this.show();
  }

  showRecorded(empty: Empty): void {
    if (empty.first_day === null || empty.last_day === null) return;
    const month = rangeOf("month", empty.last_day)[0];
    this.first = empty.first_day > month ? empty.first_day : month;
    this.last = empty.last_day;
    void this.show();
  }

  /** The chosen report from its beginning; its sums follow. An answer that came too late is dropped. */
  async show(): Promise<void> {
    const report = this.report;
    if (report === undefined) return;
    if (this.first > this.last) {
      this.problem = this.words.wrongDays;
      return;
    }
    const turn = ++this.turn;
    const asked = this.asked(report);
    this.remember(new URLSearchParams({ report: report.name, ...asked }));
    this.busy = true;
    this.problem = null;
    try {
      const page = await this.reports.page(report.name, asked, null);
      if (turn !== this.turn) return;
      const { items: rows, next, empty, time_zone: zone } = page;
      this.shown = { report, asked, rows, zone, next, empty, sums: null };
      this.busy = false;
      const sums = await this.reports.sums(report.name, asked);
      if (turn === this.turn && this.shown !== null) this.shown = { ...this.shown, sums };
    } catch (error) {
      if (turn === this.turn) this.failed(error);
    } finally {
      if (turn === this.turn) this.busy = false;
    }
  }

  async showMore(): Promise<void> {
    const shown = this.shown;
    if (shown?.next == null) return;
    try {
      const page = await this.reports.page(shown.report.name, shown.asked, shown.next);
      if (this.shown?.asked !== shown.asked) return;
      this.shown = { ...this.shown, rows: shown.rows.concat(page.items), next: page.next };
    } catch (error) {
      this.failed(error);
    }
  }

  /** The whole of what is shown, saved under the server's name for it. */
  async download(format: string, save: (blob: Blob, name: string) => void): Promise<void> {
    const shown = this.shown;
    if (shown === null || this.making !== null) return;
    this.making = format;
    this.problem = null;
    try {
      const file = await this.reports.file(shown.report.name, shown.asked, format, this.lang);
      save(file.blob, file.name);
    } catch (error) {
      this.failed(error);
    } finally {
      this.making = null;
    }
  }

  setLang(lang: Lang): void {
    this.lang = lang;
    localStorage.setItem("waystock.lang", lang);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem("waystock.reports.theme", theme);
  }

  private asked(report: Report): Record<string, string> {
    const asked: Record<string, string> = {
      first_day: this.first,
      last_day: this.last,
      time_zone: this.zone,
    };
    for (const name of report.filters)
      if (this.filter[name] !== "") asked[name] = this.filter[name];
    if (report.options.includes("per")) asked["per"] = this.per;
    if (report.options.includes("by")) asked["by"] = this.by;
    if (report.options.includes("grace_min")) asked["grace_min"] = String(this.grace || GRACE_MIN);
    return asked;
  }

  private usualZone(): string {
    const site = this.sites.find((each) => each.site === this.filter.site) ?? this.sites[0];
    return site?.time_zone ?? "UTC";
  }

  /** Says what went wrong; false where the server was not reached at all. */
  private failed(error: unknown): boolean {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) {
      this.access = "out";
      this.tokenRefused = this.token.value !== null;
      this.token.forget();
    } else if (error.status === 403) {
      this.shown = null;
      this.problem = this.words.refused;
    } else {
      this.problem = error.status === 0 ? this.words.unreachable : error.detail;
    }
    return error.status !== 0;
  }
}
