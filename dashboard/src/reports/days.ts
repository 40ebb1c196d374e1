/** Days as a report counts them: by the calendar of a time zone, written 2026-11-23. Pure. */
export type Preset = "today" | "yesterday" | "week" | "month" | "lastMonth" | "own";

export const PRESETS: Preset[] = ["today", "yesterday", "week", "month", "lastMonth"];

const DAY_MS = 86_400_000;

/** Which day it is now where this zone's clock hangs; an unknown zone counts as UTC. */
export function today(now_ms: number, zone: string): string {
  const form = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
  try {
    return new Intl.DateTimeFormat("en-CA", { ...form, timeZone: zone }).format(now_ms);
  } catch {
    return new Date(now_ms).toISOString().slice(0, 10);
  }
}

/** First and last day of a preset, both included. */
export function rangeOf(preset: Exclude<Preset, "own">, day: string): [string, string] {
  switch (preset) {
    case "today":
      return [day, day];
    case "yesterday":
      return [addDays(day, -1), addDays(day, -1)];
    case "week":
      return [addDays(day, -6), day];
    case "month":
      return [`${day.slice(0, 7)}-01`, day];
    case "lastMonth": {
      const last = addDays(`${day.slice(0, 7)}-01`, -1);
      return [`${last.slice(0, 7)}-01`, last];
    }
  }
}

/** The preset that has these days, else "own". */
export function presetOf(first: string, last: string, day: string): Preset {
  const found = PRESETS.find((preset) => {
    const [from, to] = rangeOf(preset as Exclude<Preset, "own">, day);
    return from === first && to === last;
  });
  return found ?? "own";
}

export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

export function isDay(text: string | null): text is string {
  return (
    text !== null &&
    /^\d{4}-\d{2}-\d{2}$/.test(text) &&
    !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
  );
}
