/**
 * One subscription, without I/O: frames in, frames to send and a changed picture out. It holds the
 * cursor (epoch, seq) that a reconnect resumes from, joins the parts of a snapshot, and answers a
 * gap by asking for a fresh snapshot under a new id, so that what is still under way for the old id
 * can't be mistaken for the new one's.
 */
import type { Channel, EntityHead } from "./entities";
import type { ClientFrame, Cursor, DeltaFrame, SnapFrame, SubArgs } from "./frames";
import type { Picture } from "./picture";

export interface FeedResult {
  changed: boolean;
  send: ClientFrame[];
}

const NOTHING: FeedResult = { changed: false, send: [] };

export class Subscription<E extends EntityHead> {
  id = 0;
  gaps = 0;
  /** True from the first snapshot on: an empty picture is then known to be empty. */
  loaded = false;
  private cursor: Cursor | null = null;
  private parts: E[] = [];
  private partsSeen = 0;
  private partsSeq = 0;

  constructor(
    readonly channel: Channel,
    readonly args: SubArgs,
    readonly picture: Picture<E>,
    private readonly nextId: () => number,
  ) {}

  /** What to send on a new connection; resumes where the last one ended, if it may. */
  open(): ClientFrame {
    this.id = this.nextId();
    this.forgetParts();
    const frame: ClientFrame = { type: "sub", id: this.id, ch: this.channel, args: this.args };
    return this.cursor === null ? frame : { ...frame, since: { ...this.cursor } };
  }

  snap(frame: SnapFrame): FeedResult {
    const follows = frame.part === this.partsSeen + 1 && frame.part <= frame.of;
    if (!follows || (frame.part > 1 && frame.seq !== this.partsSeq)) return this.restart();
    this.parts.push(...(frame.d as E[]));
    this.partsSeen = frame.part;
    this.partsSeq = frame.seq;
    if (frame.part < frame.of) return NOTHING;
    this.picture.replace(this.parts);
    this.cursor = { epoch: frame.epoch, seq: frame.seq };
    this.forgetParts();
    this.loaded = true;
    return { changed: true, send: [this.ack()] };
  }

  delta(frame: DeltaFrame): FeedResult {
    const follows = this.partsSeen === 0 && frame.prev === this.cursor?.seq;
    if (this.cursor === null || !follows) return this.restart();
    this.cursor = { epoch: this.cursor.epoch, seq: frame.seq };
    this.picture.update(frame.up as E[], frame.rm);
    return { changed: frame.up.length + frame.rm.length > 0, send: [this.ack()] };
  }

  private restart(): FeedResult {
    this.gaps += 1;
    const old = this.id;
    this.cursor = null;
    return { changed: false, send: [{ type: "unsub", id: old }, this.open()] };
  }

  private ack(): ClientFrame {
    return { type: "ack", id: this.id, seq: this.cursor?.seq ?? 0 };
  }

  private forgetParts(): void {
    this.parts = [];
    this.partsSeen = 0;
  }
}
