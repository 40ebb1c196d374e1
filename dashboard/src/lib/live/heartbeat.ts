/**
 * How long the line has been silent, in words: the server beats every 5 s, so at two missed beats
 * what is shown may be old (grey), at three the line counts as dead (reconnect). Half a beat of
 * grace keeps network jitter from counting as a miss. Also the reconnect delay.
 */
export const BEAT_S = 5;
export const BACKOFF_MIN_S = 0.5;
export const BACKOFF_MAX_S = 30;

const GRACE_S = BEAT_S / 2;

export type Pulse = "live" | "stale" | "dead";

export function pulse(silent_s: number): Pulse {
  if (silent_s >= 3 * BEAT_S + GRACE_S) return "dead";
  return silent_s >= 2 * BEAT_S + GRACE_S ? "stale" : "live";
}

/** Full jitter (anywhere from the minimum to the doubling ceiling), so that a hall of screens comes
 * back spread out. `random` is in [0, 1). */
export function backoff_s(attempt: number, random: number): number {
  const ceiling_s = Math.min(BACKOFF_MAX_S, BACKOFF_MIN_S * 2 ** Math.min(attempt, 16));
  return BACKOFF_MIN_S + random * (ceiling_s - BACKOFF_MIN_S);
}
