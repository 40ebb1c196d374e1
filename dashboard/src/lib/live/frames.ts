/**
 * The frames of the live protocol: JSON text over a WebSocket, told apart by `type`. This is where
 * bytes enter: `parseServerFrame` checks what the rest of the code relies on and answers null to
 * anything else, which the client counts and ignores.
 */
import type { Channel, EntityHead } from "./entities";

export interface Cursor {
  epoch: string;
  seq: number;
}

export interface SubArgs {
  site: string | null;
}

export type ClientFrame =
  | { type: "auth"; token: string }
  | { type: "sub"; id: number; ch: Channel; args: SubArgs; since?: Cursor }
  | { type: "unsub"; id: number }
  | { type: "ack"; id: number; seq: number };

export interface SnapFrame {
  type: "snap";
  id: number;
  epoch: string;
  seq: number;
  part: number;
  of: number;
  d: EntityHead[];
}

export interface DeltaFrame {
  type: "delta";
  id: number;
  seq: number;
  prev: number;
  up: EntityHead[];
  rm: string[];
}

export interface BeatFrame {
  type: "beat";
  at: string;
}

export interface ErrorFrame {
  type: "error";
  id?: number;
  code: string;
  message: string;
}

export type ServerFrame = SnapFrame | DeltaFrame | BeatFrame | ErrorFrame;

/** Why the server closes: private codes of RFC 6455 section 7.4.2. */
export const CLOSE_AUTH = 4401;
export const CLOSE_TOO_SLOW = 4408;
export const CLOSE_NEW_BUILD = 4409;

type Json = Record<string, unknown>;

export function parseServerFrame(text: string): ServerFrame | null {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(frame)) return null;
  switch (frame["type"]) {
    case "snap":
      return isSnap(frame) ? (frame as unknown as SnapFrame) : null;
    case "delta":
      return asDelta(frame);
    case "beat":
      return typeof frame["at"] === "string" ? { type: "beat", at: frame["at"] } : null;
    case "error":
      return asError(frame);
    default:
      return null;
  }
}

function isSnap(frame: Json): boolean {
  return (
    ["id", "seq", "part", "of"].every((name) => Number.isSafeInteger(frame[name])) &&
    typeof frame["epoch"] === "string" &&
    isEntityList(frame["d"])
  );
}

function asDelta(frame: Json): DeltaFrame | null {
  const { id, seq, prev, up = [], rm = [] } = frame;
  const numbers = [id, seq, prev].every((value) => Number.isSafeInteger(value));
  if (!numbers || !isEntityList(up) || !isStringList(rm)) return null;
  return { type: "delta", id: id as number, seq: seq as number, prev: prev as number, up, rm };
}

function asError(frame: Json): ErrorFrame {
  const error: ErrorFrame = {
    type: "error",
    code: String(frame["code"] ?? ""),
    message: String(frame["message"] ?? ""),
  };
  if (Number.isSafeInteger(frame["id"])) error.id = frame["id"] as number;
  return error;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isEntityList(value: unknown): value is EntityHead[] {
  return (
    Array.isArray(value) &&
    value.every((entity) => isObject(entity) && typeof entity["key"] === "string")
  );
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
