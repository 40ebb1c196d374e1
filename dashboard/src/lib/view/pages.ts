/** Lists longer than their panel turn a page every ten seconds; all screens of a hall in step. */
export const PAGE_S = 10;

export interface Page<T> {
  items: T[];
  /** From 1. */
  number: number;
  of: number;
}

export function pageAt<T>(items: readonly T[], size: number, now_ms: number): Page<T> {
  const room = Math.max(1, size);
  const of = Math.max(1, Math.ceil(items.length / room));
  const index = Math.floor(now_ms / 1000 / PAGE_S) % of;
  return { items: items.slice(index * room, (index + 1) * room), number: index + 1, of };
}

/** How many rows of a height fit, both in rem. */
export function rowsThatFit(height_px: number, row_rem: number, rem_px: number): number {
  return rem_px > 0 ? Math.max(1, Math.floor(height_px / rem_px / row_rem + 0.02)) : 1;
}
