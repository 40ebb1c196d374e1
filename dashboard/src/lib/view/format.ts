/** Figures and times as people read them: tabular, in the site's local time, ages in one unit. */
import { localeOf, type Lang, type Messages } from "../i18n";

export function integer(value: number, lang: Lang): string {
  return new Intl.NumberFormat(localeOf[lang], { maximumFractionDigits: 0 }).format(value);
}

/** hh:mm or hh:mm:ss, 24 hours, in an IANA time zone; unknown zones fall back to UTC. */
export function clock(at_ms: number, zone: string, seconds = false): string {
  const form: Intl.DateTimeFormatOptions = {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(seconds ? { second: "2-digit" } : {}),
  };
  return new Intl.DateTimeFormat("en-GB", { ...form, timeZone: knownZone(zone) }).format(at_ms);
}

/** Such as "Mon 23 Nov" or "11月23日 周一". */
export function day(at_ms: number, zone: string, lang: Lang): string {
  const form: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" };
  return new Intl.DateTimeFormat(localeOf[lang], { ...form, timeZone: knownZone(zone) })
    .format(at_ms)
    .replace(",", "");
}

/** One unit, rounded down: 12 s, 4 min, 3 h, 2 d. */
export function age(age_s: number, words: Messages): string {
  const whole_s = Math.max(0, Math.floor(age_s));
  if (whole_s < 60) return words.seconds(whole_s);
  if (whole_s < 3600) return words.minutes(Math.floor(whole_s / 60));
  if (whole_s < 86_400) return words.hours(Math.floor(whole_s / 3600));
  return words.days(Math.floor(whole_s / 86_400));
}

const zones = new Map<string, string>();

function knownZone(zone: string): string {
  const found = zones.get(zone);
  if (found !== undefined) return found;
  let known = zone;
  try {
    new Intl.DateTimeFormat("en-GB", { timeZone: zone });
  } catch {
    known = "UTC";
  }
  zones.set(zone, known);
  return known;
}
