import { beforeEach, describe, expect, it } from "vitest";

import { LiveClient, type Socket, type Status, type World } from "../src/lib/live/client";
import { parseServerFrame } from "../src/lib/live/frames";
import { backoff_s, BACKOFF_MAX_S, BACKOFF_MIN_S, pulse } from "../src/lib/live/heartbeat";

class FakeSocket implements Socket {
  sent: Record<string, unknown>[] = [];
  closed = false;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.closed = true;
  }

  hear(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

class FakeWorld implements World {
  sockets: FakeSocket[] = [];
  private clock_ms = 0;
  private timers: { at_ms: number; run: () => void }[] = [];

  openSocket(): Socket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }

  now_ms(): number {
    return this.clock_ms;
  }

  random(): number {
    return 1;
  }

  later(ms: number, run: () => void): () => void {
    const timer = { at_ms: this.clock_ms + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  }

  pass(s: number): void {
    const until_ms = this.clock_ms + s * 1000;
    for (;;) {
      this.timers.sort((a, b) => a.at_ms - b.at_ms);
      const next = this.timers[0];
      if (next === undefined || next.at_ms > until_ms) break;
      this.timers.shift();
      this.clock_ms = next.at_ms;
      next.run();
    }
    this.clock_ms = until_ms;
  }

  get last(): FakeSocket {
    return this.sockets.at(-1) as FakeSocket;
  }
}

const BEAT = { type: "beat", at: "2026-11-23T06:00:00Z" };

let world: FakeWorld;
let token: string | null;
let reloads: number;
let statuses: Status[];
let client: LiveClient;

beforeEach(() => {
  world = new FakeWorld();
  token = null;
  reloads = 0;
  statuses = [];
  const listener = {
    onStatus: (status: Status) => statuses.push(status),
    onChange: () => undefined,
    onBeat: () => undefined,
    onNewBuild: () => (reloads += 1),
  };
  client = new LiveClient(world, listener, () => token);
});

function connected(): void {
  client.subscribe("transit", { site: "sha" });
  client.start();
  world.last.onopen?.();
  world.last.hear(BEAT);
}

describe("the live connection", () => {
  it("signs an unattended screen in with its device token before anything else", () => {
    token = "secret";
    connected();
    expect(world.last.sent.map((frame) => frame["type"])).toEqual(["auth", "sub"]);
    expect(world.last.sent[0]).toEqual({ type: "auth", token: "secret" });
  });

  it("sends no token where the cookie signs in", () => {
    connected();
    expect(world.last.sent).toEqual([{ type: "sub", id: 1, ch: "transit", args: { site: "sha" } }]);
  });

  it("greys the screen after two missed beats and reconnects after three", () => {
    connected();
    world.pass(9);
    expect(client.status).toBe("live");
    world.pass(4);
    expect(client.status).toBe("stale");
    expect(world.sockets).toHaveLength(1);
    world.pass(6);
    expect(world.sockets).toHaveLength(2);
    expect(world.sockets[0]?.closed).toBe(true);
  });

  it("stays live while beats come", () => {
    connected();
    for (let i = 0; i < 20; i += 1) {
      world.pass(5);
      world.last.hear(BEAT);
    }
    expect(statuses).toEqual(["live"]);
    expect(world.sockets).toHaveLength(1);
  });

  it("waits longer after each failed attempt, never more than the limit", () => {
    client.start();
    const waits: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      world.last.onclose?.({ code: 1006 });
      const before = world.sockets.length;
      let waited_s = 0;
      while (world.sockets.length === before) {
        world.pass(0.25);
        waited_s += 0.25;
      }
      waits.push(waited_s);
    }
    expect(waits.slice(0, 4)).toEqual([0.5, 1, 2, 4]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(BACKOFF_MAX_S);
  });

  it("reconnects at once when the network is back", () => {
    connected();
    world.last.onclose?.({ code: 1006 });
    client.wake();
    expect(world.sockets).toHaveLength(2);
    client.wake();
    expect(world.sockets).toHaveLength(2);
  });

  it("resumes its subscriptions where they were", () => {
    connected();
    world.last.hear({ type: "snap", id: 1, epoch: "e", seq: 7, part: 1, of: 1, d: [] });
    world.last.onclose?.({ code: 1006 });
    client.wake();
    world.last.onopen?.();
    expect(world.last.sent[0]).toMatchObject({ type: "sub", since: { epoch: "e", seq: 7 } });
  });

  it("asks for sign-in, and does not hammer the server, when it is refused", () => {
    connected();
    world.last.onclose?.({ code: 4401 });
    world.pass(120);
    client.wake();
    expect(client.status).toBe("signed_out");
    expect(world.sockets).toHaveLength(1);
    client.start();
    expect(world.sockets).toHaveLength(2);
  });

  it("loads the new page when the server has one", () => {
    connected();
    world.last.onclose?.({ code: 4409 });
    expect(reloads).toBe(1);
  });

  it("survives and counts frames it can't read", () => {
    connected();
    for (const junk of ["", "null", "[]", '{"type":"snap"}', '{"type":"delta","id":1}', "{"]) {
      world.last.onmessage?.({ data: junk });
    }
    expect(client.unreadable).toBe(6);
    expect(client.status).toBe("live");
  });
});

describe("the frame parser", () => {
  it("fills in what a delta may leave out", () => {
    expect(parseServerFrame('{"type":"delta","id":1,"seq":2,"prev":1}')).toEqual({
      type: "delta",
      id: 1,
      seq: 2,
      prev: 1,
      up: [],
      rm: [],
    });
  });
});

describe("heartbeat and back-off", () => {
  it("calls the line dead only after three missed beats", () => {
    expect([0, 12, 13, 17, 18].map(pulse)).toEqual(["live", "live", "stale", "stale", "dead"]);
  });

  it("spreads a hall of screens between the minimum and the ceiling", () => {
    expect(backoff_s(3, 0)).toBe(BACKOFF_MIN_S);
    expect(backoff_s(3, 0.5)).toBeCloseTo(2.25);
    expect(backoff_s(1000, 1)).toBe(BACKOFF_MAX_S);
  });
});
