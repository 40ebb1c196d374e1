import { describe, expect, it } from "vitest";

import type { TransitEntity } from "../src/lib/live/entities";
import type { SnapFrame } from "../src/lib/live/frames";
import { Picture } from "../src/lib/live/picture";
import { Subscription } from "../src/lib/live/subscription";

type Truck = Pick<TransitEntity, "key" | "version" | "gone">;

function opened() {
  let id = 0;
  const picture = new Picture<Truck>();
  const subscription = new Subscription("transit", { site: null }, picture, () => ++id);
  subscription.open();
  return { subscription, keys: () => [...picture.entities.keys()], picture };
}

const truck = (key: string, version = 1): Truck => ({ key, version });

function snap(part: number, of: number, d: Truck[], seq = 5, id = 1): SnapFrame {
  return { type: "snap", id, epoch: "e1", seq, part, of, d };
}

describe("a subscription", () => {
  it("shows the fleet of a snapshot and acknowledges it", () => {
    const { subscription, keys } = opened();
    const result = subscription.snap(snap(1, 1, [truck("t1"), truck("t2")]));
    expect(keys()).toEqual(["t1", "t2"]);
    expect(result).toEqual({ changed: true, send: [{ type: "ack", id: 1, seq: 5 }] });
    expect(subscription.loaded).toBe(true);
  });

  it("shows nothing of a snapshot before its last part, so no half fleet is seen", () => {
    const { subscription, keys } = opened();
    expect(subscription.snap(snap(1, 2, [truck("t1")]))).toEqual({ changed: false, send: [] });
    expect(keys()).toEqual([]);
    subscription.snap(snap(2, 2, [truck("t2")]));
    expect(keys()).toEqual(["t1", "t2"]);
  });

  it("forgets what the new snapshot no longer has", () => {
    const { subscription, keys } = opened();
    subscription.snap(snap(1, 1, [truck("t1")]));
    subscription.snap(snap(1, 1, [truck("t2")], 9));
    expect(keys()).toEqual(["t2"]);
  });

  it("takes over a delta that follows and acknowledges it", () => {
    const { subscription, keys } = opened();
    subscription.snap(snap(1, 1, [truck("t1"), truck("t2")]));
    const delta = { type: "delta", id: 1, seq: 6, prev: 5, up: [truck("t3")], rm: ["t1"] } as const;
    const result = subscription.delta({ ...delta, up: [...delta.up], rm: [...delta.rm] });
    expect(keys()).toEqual(["t2", "t3"]);
    expect(result.send).toEqual([{ type: "ack", id: 1, seq: 6 }]);
  });

  it("asks for a fresh snapshot under a new id when a delta is missing", () => {
    const { subscription, keys } = opened();
    subscription.snap(snap(1, 1, [truck("t1")]));
    const late = { type: "delta", id: 1, seq: 8, prev: 7, up: [truck("t9")], rm: [] } as const;
    const result = subscription.delta({ ...late, up: [...late.up], rm: [] });
    expect(result.send).toEqual([
      { type: "unsub", id: 1 },
      { type: "sub", id: 2, ch: "transit", args: { site: null } },
    ]);
    expect(keys()).toEqual(["t1"]);
    expect(subscription.gaps).toBe(1);
  });

  it("asks again when a part of a snapshot is missing", () => {
    const { subscription } = opened();
    subscription.snap(snap(1, 3, [truck("t1")]));
    expect(subscription.snap(snap(3, 3, [truck("t3")])).send[0]).toEqual({ type: "unsub", id: 1 });
  });

  it("resumes after a reconnect from the last sequence it has applied", () => {
    const { subscription } = opened();
    subscription.snap(snap(1, 1, [truck("t1")]));
    expect(subscription.open()).toMatchObject({ since: { epoch: "e1", seq: 5 } });
    const result = subscription.delta({ type: "delta", id: 2, seq: 6, prev: 5, up: [], rm: [] });
    expect(result.send).toEqual([{ type: "ack", id: 2, seq: 6 }]);
  });

  it("does not resume from a snapshot that was cut off halfway", () => {
    const { subscription } = opened();
    subscription.snap(snap(1, 2, [truck("t1")]));
    expect(subscription.open()).not.toHaveProperty("since");
  });
});

describe("a picture", () => {
  it("keeps the newer state when messages arrive in the wrong order", () => {
    const picture = new Picture<Truck>();
    picture.update([truck("t1", 9)], []);
    picture.update([truck("t1", 3)], []);
    expect(picture.entities.get("t1")?.version).toBe(9);
  });

  it("removes what is gone, unless that news is older than what is known", () => {
    const picture = new Picture<Truck>();
    picture.update([truck("t1", 9)], []);
    picture.update([{ key: "t1", version: 3, gone: true }], []);
    expect(picture.entities.size).toBe(1);
    picture.update([{ key: "t1", version: 10, gone: true }], []);
    expect(picture.entities.size).toBe(0);
  });

  it("keeps an event channel within its limit and counts what it drops", () => {
    const picture = new Picture<Truck>(2);
    picture.update([truck("a"), truck("b"), truck("c")], []);
    expect([...picture.entities.keys()]).toEqual(["b", "c"]);
    expect(picture.dropped).toBe(1);
  });
});
