import { describe, expect, it } from "vitest";

import { messages, pickLang, wordFor } from "../src/lib/i18n";
import { reportWords } from "../src/lib/i18n/reports";
import { age, clock, day, integer } from "../src/lib/view/format";

function shape(value: unknown): unknown {
  if (typeof value === "function") return value.length;
  if (Array.isArray(value)) return value.length;
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, each]) => [key, typeof each === "function" ? "function" : shape(each)]),
  );
}

describe("both languages", () => {
  it("have every word, down to zones, steps and alert types", () => {
    expect(shape(messages.zh)).toEqual(shape(messages.en));
    expect(shape(reportWords.zh)).toEqual(shape(reportWords.en));
  });

  it("leave no word empty", () => {
    const walk = (value: unknown): string[] =>
      typeof value === "string"
        ? [value]
        : typeof value === "object" && value !== null
          ? Object.values(value).flatMap(walk)
          : [];
    for (const lang of ["en", "zh"] as const) {
      const words = [messages[lang], reportWords[lang]].flatMap(walk);
      expect(words.filter((word) => word.trim() === "")).toEqual([]);
    }
  });

  it("follow the address, then the last choice, then the browser", () => {
    expect(pickLang("zh", "en", ["en"])).toBe("zh");
    expect(pickLang(null, "zh", ["en"])).toBe("zh");
    expect(pickLang("xx", null, ["fr", "zh-Hans-CN", "en"])).toBe("zh");
    expect(pickLang(null, null, ["fr"])).toBe("en");
  });

  it("show a code nobody has translated as it came, rather than nothing", () => {
    expect(wordFor(messages.zh.zone, "mezzanine")).toBe("mezzanine");
  });
});

describe("times and figures", () => {
  const at_ms = Date.parse("2026-11-23T16:05:09Z");

  it("are in the site's local time", () => {
    expect(clock(at_ms, "Asia/Shanghai")).toBe("00:05");
    expect(clock(at_ms, "UTC", true)).toBe("16:05:09");
    expect(day(at_ms, "Asia/Shanghai", "en")).toBe("Tue 24 Nov");
  });

  it("fall back to UTC for a zone the browser doesn't know", () => {
    expect(clock(at_ms, "Mars/Olympus")).toBe("16:05");
  });

  it("say hours where minutes would be many", () => {
    expect(messages.en.late(99)).toBe("99 min late");
    expect(messages.zh.early(149)).toBe("早 2.5 小时");
  });

  it("are grouped, and ages are in one unit, never negative", () => {
    expect(integer(85595, "en")).toBe("85,595");
    expect([-3, 59, 60, 3600, 90_000].map((s) => age(s, messages.en))).toEqual([
      "0 s",
      "59 s",
      "1 min",
      "1 h",
      "1 d",
    ]);
  });
});
