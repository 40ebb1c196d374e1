/**
 * Which language the page speaks: `?lang=` first, then what was chosen on this machine before, then
 * the browser's. English and 简体中文.
 */
import { en, type Messages } from "./en";
import { zh } from "./zh";

export type { Messages };
export type Lang = "en" | "zh";

export const messages: Record<Lang, Messages> = { en, zh };

/** For the document and for Intl. */
export const localeOf: Record<Lang, string> = { en: "en-GB", zh: "zh-CN" };

export function pickLang(
  asked: string | null,
  remembered: string | null,
  browser: readonly string[],
): Lang {
  for (const wish of [asked, remembered]) {
    if (wish === "en" || wish === "zh") return wish;
  }
  const known = browser.find((tag) => /^(en|zh)\b/i.test(tag));
  return known?.toLowerCase().startsWith("zh") === true ? "zh" : "en";
}

/** A word by a code that comes from the data; what isn't in the list is shown as it came. */
export function wordFor(list: Record<string, string>, code: string): string {
  return list[code] ?? code;
}
