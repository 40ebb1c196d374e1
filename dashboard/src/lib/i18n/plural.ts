/** Small grammar of figures with words, for the message files. */

/** English has two forms; Chinese needs none. */
export function plural(n: number, one: string, many: string): string {
  return n === 1 ? one : many;
}

/** Minutes up to a hundred, then hours to a tenth: short enough for a column, exact enough to act on. */
export function shortSpan(minutes: number, minute: string, hour: string): string {
  return minutes < 100 ? `${minutes} ${minute}` : `${(minutes / 60).toFixed(1)} ${hour}`;
}
