/**
 * The big screen's state: what the live channels and the REST lists have said, in the form the
 * panels read. Figures are taken over at most every two seconds, alerts and the map's trucks at
 * once. Upstream: LiveClient and Api. Downstream: the Svelte components.
 */
import { messages, pickLang, type Lang } from "../lib/i18n";
import { LiveClient, type Status, type World } from "../lib/live/client";
import type { Channel, EntityHead, EntityOf, TransitEntity } from "../lib/live/entities";
import { MOVEMENTS_KEPT_MAX } from "../lib/live/picture";
import type { Subscription } from "../lib/live/subscription";
import type { Mark } from "../lib/map/scene";
import {
  Api,
  ApiError,
  type Product,
  type Shipment,
  type ShipmentStatus,
  type Site,
} from "../lib/rest/api";
import { DeviceToken } from "../lib/session/token";
import { pickDensity, pickTheme } from "../lib/view/setting";
import { Throttle } from "../lib/view/throttle";
import type { Theme } from "../lib/view/tokens";
import { kpisOf, lowStock, openAlerts, stockBySite, tickerItems, transitRows } from "./figures";

const FIGURES_EVERY_MS = 2000;
const TICKER_MAX = 8;
const SHIPMENTS_EVERY_MS = 60_000;
const MASTERDATA_EVERY_MS = 600_000;
const RETRY_MS = 3000;
/** What is over needs no route on the wall. */
const SHIPMENTS_SHOWN: ShipmentStatus[] = ["planned", "loading", "in_transit"];

export type Access = "asking" | "in" | "out";

export class ScreenState {
  lang = $state<Lang>("en");
  theme = $state<Theme>("dark");
  status = $state<Status>("connecting");
  access = $state<Access>("asking");
  tokenRefused = $state(false);
  /** Server time of the last beat; null before the first. */
  asOf_ms = $state<number | null>(null);
  /** Server time, moved on every two seconds. */
  now_ms = $state(Date.now());
  sites = $state.raw<Site[]>([]);
  products = $state.raw<ReadonlyMap<string, Product>>(new Map());
  shipments = $state.raw<ReadonlyMap<string, Shipment>>(new Map());
  alerts = $state.raw<EntityOf["alerts"][]>([]);
  stock = $state.raw<EntityOf["stock"][]>([]);
  transit = $state.raw<EntityOf["transit"][]>([]);
  movements = $state.raw<EntityOf["movements"][]>([]);
  gateways = $state.raw<EntityOf["health"][]>([]);
  /** True once every list on the page has had its first snapshot. */
  loaded = $state(false);

  readonly density;
  readonly site: string | null;
  readonly words = $derived(messages[this.lang]);
  readonly kpis = $derived(kpisOf(this.stock, this.transit, this.alerts));
  readonly siteOrder = $derived(this.sites.map((site) => site.site));
  readonly stockSites = $derived(stockBySite(this.stock, this.shownSites()));
  readonly low = $derived(lowStock(this.stock));
  readonly rows = $derived(transitRows(this.transit, this.shipments, this.now_ms));
  readonly ticker = $derived(tickerItems(this.movements, TICKER_MAX));
  /** Time zone of what is shown; without sites that of this machine. */
  readonly zone = $derived(
    (this.sites.find((each) => each.site === this.site) ?? this.sites[0])?.time_zone ??
      Intl.DateTimeFormat().resolvedOptions().timeZone,
  );

  readonly api: Api;
  private readonly token: DeviceToken;
  private readonly live: LiveClient;
  private readonly channels: { [C in Channel]?: Subscription<EntityOf[C]> } = {};
  private readonly figures = new Throttle(FIGURES_EVERY_MS, () => this.takeFigures());
  private readonly fleetListeners = new Set<() => void>();
  private serverAhead_ms = 0;

  constructor(query: URLSearchParams, token: DeviceToken, world: World) {
    this.lang = pickLang(
      query.get("lang"),
      localStorage.getItem("waystock.lang"),
      navigator.languages,
    );
    this.theme = pickTheme(query.get("theme"), localStorage.getItem("waystock.theme"));
    this.density = pickDensity(query.get("density"));
    this.site = query.get("site");
    this.token = token;
    this.api = new Api(() => token.value);
    this.live = new LiveClient(world, this.listener(), () => token.value);
    for (const channel of ["transit", "stock", "alerts", "movements", "health"] as const) {
      this.open(channel);
    }
  }

  /** The server's clock now, for the map. */
  serverNow_ms(): number {
    return Date.now() + this.serverAhead_ms;
  }

  /** The newest fleet, not held back like the figures. */
  fleet(): ReadonlyMap<string, TransitEntity> {
    return this.channels.transit?.picture.entities ?? new Map();
  }

  onFleet(listener: () => void): () => void {
    this.fleetListeners.add(listener);
    return () => this.fleetListeners.delete(listener);
  }

  siteMarks(): Mark[] {
    return this.sites.map((site) => ({ lonLat: [site.lon, site.lat], name: site.name }));
  }

  /** Loading or under way: those whose route the map shows. */
  activeShipments(): Shipment[] {
    return [...this.shipments.values()].filter((each) => each.status !== "planned");
  }

  /** Where goods go, once per place. */
  stopMarks(): Mark[] {
    const marks = new Map<string, Mark>();
    for (const { stops } of this.activeShipments()) {
      for (const { lon, lat, name } of stops)
        marks.set(`${lon},${lat}`, { lonLat: [lon, lat], name });
    }
    return [...marks.values()];
  }

  start(): void {
    setInterval(() => {
      this.now_ms = this.serverNow_ms();
    }, FIGURES_EVERY_MS);
    setInterval(() => void this.loadShipments(), SHIPMENTS_EVERY_MS);
    setInterval(() => void this.loadMasterData(), MASTERDATA_EVERY_MS);
    void this.enter();
  }

  wake(): void {
    this.live.wake();
  }

  /** Asks who we are: signed in → connect; refused → the sign-in form; unreachable → again. */
  async enter(): Promise<void> {
    try {
      await this.api.me();
    } catch (error) {
      const refused = error instanceof ApiError && (error.status === 401 || error.status === 403);
      if (refused) return this.signedOut();
      this.status = "lost";
      setTimeout(() => void this.enter(), RETRY_MS);
      return;
    }
    this.access = "in";
    this.tokenRefused = false;
    this.live.start();
    await Promise.all([this.loadMasterData(), this.loadShipments()]);
  }

  setLang(lang: Lang): void {
    this.lang = lang;
    localStorage.setItem("waystock.lang", lang);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem("waystock.theme", theme);
  }

  productName(gtin: string): string {
    const name = this.products.get(gtin)?.name;
    return name?.[this.lang] ?? name?.["en"] ?? gtin;
  }

  siteName(site: string): string {
    const name = this.sites.find((each) => each.site === site)?.name;
    return name?.[this.lang] ?? name?.["en"] ?? site;
  }

  private shownSites(): string[] {
    return this.siteOrder.filter((site) => this.site === null || site === this.site);
  }

  private open<C extends "transit" | "stock" | "alerts" | "movements" | "health">(
    channel: C,
  ): void {
    const keptMax = channel === "movements" ? MOVEMENTS_KEPT_MAX : Infinity;
    const subscription = this.live.subscribe(channel, { site: this.site }, keptMax);
    Object.assign(this.channels, { [channel]: subscription });
  }

  private listener() {
    return {
      onStatus: (status: Status) => {
        this.status = status;
        if (status === "signed_out") this.signedOut();
      },
      onBeat: (at: string) => {
        this.serverAhead_ms = Date.parse(at) - Date.now();
        this.asOf_ms = Date.parse(at);
      },
      onChange: (channel: Channel) => this.changed(channel),
      onNewBuild: () => location.reload(),
    };
  }

  private changed(channel: Channel): void {
    this.asOf_ms ??= this.serverNow_ms();
    if (channel === "alerts") this.alerts = openAlerts(this.all("alerts"));
    if (channel === "transit") for (const listener of this.fleetListeners) listener();
    if (this.loaded) this.figures.ask();
    else this.takeFigures();
  }

  private takeFigures(): void {
    this.stock = this.all("stock");
    this.transit = this.all("transit");
    this.movements = this.all("movements");
    this.gateways = this.all("health").filter((each) => each.device === null);
    this.now_ms = this.serverNow_ms();
    const needed = [this.channels.stock, this.channels.transit, this.channels.alerts];
    this.loaded = needed.every((each) => each?.loaded === true);
  }

  private all<C extends keyof EntityOf>(channel: C): EntityOf[C][] {
    const picture = this.channels[channel]?.picture as
      { entities: ReadonlyMap<string, EntityHead> } | undefined;
    return [...(picture?.entities.values() ?? [])] as EntityOf[C][];
  }

  private signedOut(): void {
    this.access = "out";
    if (this.token.value !== null) this.tokenRefused = true;
    this.token.forget();
  }

  /** A list that can't be had now stays as it was and is asked for again at the next turn. */
  private async loadShipments(): Promise<void> {
    if (this.access !== "in") return;
    await this.load("shipments", async () => {
      const lists = await Promise.all(SHIPMENTS_SHOWN.map((status) => this.api.shipments(status)));
      this.shipments = new Map(lists.flat().map((each) => [each.shipment, each]));
    });
  }

  private async loadMasterData(): Promise<void> {
    if (this.access !== "in") return;
    await this.load("master data", async () => {
      const [sites, products] = await Promise.all([this.api.sites(), this.api.products()]);
      this.sites = sites;
      this.products = new Map(products.map((each) => [each.gtin, each]));
    });
  }

  private async load(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      console.warn("list_not_loaded", what, error.status, error.detail);
    }
  }
}
