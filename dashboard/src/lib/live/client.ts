/**
 * The live connection: opens the WebSocket, signs in, keeps the subscriptions fed, watches the
 * heartbeat and reconnects. Everything it needs of the world (socket, timers, clock, random) comes
 * in through `World`, so the tests run it without a network. Upstream: the api's `/api/v1/live`.
 * Downstream: the page's state, through `onChange` and `onStatus`.
 */
import type { Channel, EntityOf } from "./entities";
import {
  CLOSE_AUTH,
  CLOSE_NEW_BUILD,
  parseServerFrame,
  type ClientFrame,
  type ServerFrame,
  type SubArgs,
} from "./frames";
import { backoff_s, pulse } from "./heartbeat";
import { Picture } from "./picture";
import { Subscription } from "./subscription";

export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface World {
  openSocket(): Socket;
  now_ms(): number;
  random(): number;
  later(ms: number, run: () => void): () => void;
}

/** `signed_out`: the server refused us; it stays so until `start` is called again. */
export type Status = "connecting" | "live" | "stale" | "lost" | "signed_out";

export interface Listener {
  onStatus(status: Status): void;
  onChange(channel: Channel): void;
  /** Server time of a beat. */
  onBeat(at: string): void;
  onNewBuild(): void;
}

const WATCH_MS = 500;

export class LiveClient {
  status: Status = "connecting";
  /** Frames that could not be read. */
  unreadable = 0;
  private readonly subscriptions: Subscription<EntityOf[Channel]>[] = [];
  private socket: Socket | null = null;
  private heardAt_ms = 0;
  private attempt = 0;
  private lastId = 0;
  private stopTimer: () => void = () => undefined;

  constructor(
    private readonly world: World,
    private readonly listener: Listener,
    private readonly token: () => string | null,
  ) {}

  /** To be called before `start`. */
  subscribe<C extends Channel>(
    channel: C,
    args: SubArgs,
    keptMax = Infinity,
  ): Subscription<EntityOf[C]> {
    const picture = new Picture<EntityOf[C]>(keptMax);
    const subscription = new Subscription(channel, args, picture, () => ++this.lastId);
    this.subscriptions.push(subscription as unknown as Subscription<EntityOf[Channel]>);
    return subscription;
  }

  start(): void {
    this.attempt = 0;
    this.connect();
  }

  /** The network or the page has come back: don't wait for the back-off. */
  wake(): void {
    if (this.socket !== null || this.status === "signed_out") return;
    this.start();
  }

  stop(): void {
    this.stopTimer();
    this.drop();
  }

  private connect(): void {
    this.stopTimer();
    this.drop();
    const socket = this.world.openSocket();
    this.socket = socket;
    this.heardAt_ms = this.world.now_ms();
    if (this.status === "signed_out") this.setStatus("connecting");
    socket.onopen = () => this.opened(socket);
    socket.onmessage = (event) => this.heard(socket, event.data);
    socket.onclose = (event) => this.closed(socket, event.code);
    this.watch();
  }

  private opened(socket: Socket): void {
    if (socket !== this.socket) return;
    const token = this.token();
    if (token !== null) this.send({ type: "auth", token });
    for (const subscription of this.subscriptions) this.send(subscription.open());
  }

  private heard(socket: Socket, data: unknown): void {
    if (socket !== this.socket) return;
    const frame = typeof data === "string" ? parseServerFrame(data) : null;
    if (frame === null) {
      this.unreadable += 1;
      return;
    }
    this.heardAt_ms = this.world.now_ms();
    if (frame.type !== "error") {
      this.attempt = 0;
      this.setStatus("live");
    }
    this.dispatch(frame);
  }

  private dispatch(frame: ServerFrame): void {
    if (frame.type === "beat") return this.listener.onBeat(frame.at);
    if (frame.type === "error") return console.warn("live_error", frame.code, frame.message);
    const subscription = this.subscriptions.find((each) => each.id === frame.id);
    if (subscription === undefined) return;
    const result = frame.type === "snap" ? subscription.snap(frame) : subscription.delta(frame);
    if (result.changed) this.listener.onChange(subscription.channel);
    for (const answer of result.send) this.send(answer);
  }

  private closed(socket: Socket, code: number): void {
    if (socket !== this.socket) return;
    this.drop();
    this.stopTimer();
    if (code === CLOSE_AUTH) return this.setStatus("signed_out");
    if (code === CLOSE_NEW_BUILD) this.listener.onNewBuild();
    this.setStatus("lost");
    this.retryLater();
  }

  private watch(): void {
    this.stopTimer = this.world.later(WATCH_MS, () => {
      const state = pulse((this.world.now_ms() - this.heardAt_ms) / 1000);
      if (state === "stale" && this.status === "live") this.setStatus("stale");
      if (state === "dead") {
        this.setStatus("lost");
        this.drop();
        this.retryLater();
      } else {
        this.watch();
      }
    });
  }

  private retryLater(): void {
    const wait_s = backoff_s(this.attempt, this.world.random());
    this.attempt += 1;
    this.stopTimer();
    this.stopTimer = this.world.later(wait_s * 1000, () => this.connect());
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private send(frame: ClientFrame): void {
    this.socket?.send(JSON.stringify(frame));
  }

  private setStatus(status: Status): void {
    if (status === this.status) return;
    this.status = status;
    this.listener.onStatus(status);
  }
}
