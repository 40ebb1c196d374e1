import { describe, expect, it } from "vitest";

import { reportWords } from "../src/lib/i18n/reports";
import type { Column, Report, Sums } from "../src/lib/rest/reports";
import { cellOf, shownColumns, sumLines } from "../src/reports/cells";
import { isDay, presetOf, rangeOf, today } from "../src/reports/days";

function column(name: string, kind: Column["kind"], more: Partial<Column> = {}): Column {
  return {
    name,
    kind,
    heading: { en: name, zh: name },
    unit: null,
    decimals: 0,
    is_summed: false,
    is_detail: false,
    names: null,
    choices: {},
    ...more,
  };
}

const show = (each: Column, row: Record<string, unknown>, lang: "en" | "zh" = "en") =>
  cellOf(each, row, "Asia/Shanghai", lang, reportWords[lang]).text;

describe("days", () => {
  it("are those of the site's calendar, not of the reader's", () => {
    const late = Date.parse("2026-11-23T16:30:00Z");
    expect(today(late, "Asia/Shanghai")).toBe("2026-11-24");
    expect(today(late, "America/New_York")).toBe("2026-11-23");
    expect(today(late, "Mars/Olympus")).toBe("2026-11-23");
  });

  it("of a preset include both ends, over the turn of a year and through February", () => {
    expect(rangeOf("week", "2026-01-03")).toEqual(["2025-12-28", "2026-01-03"]);
    expect(rangeOf("lastMonth", "2028-03-31")).toEqual(["2028-02-01", "2028-02-29"]);
    expect(rangeOf("lastMonth", "2026-01-15")).toEqual(["2025-12-01", "2025-12-31"]);
    expect(rangeOf("month", "2026-11-01")).toEqual(["2026-11-01", "2026-11-01"]);
  });

  it("tell which preset they are", () => {
    expect(presetOf("2026-11-17", "2026-11-23", "2026-11-23")).toBe("week");
    expect(presetOf("2026-11-17", "2026-11-22", "2026-11-23")).toBe("own");
  });

  it("of an address that isn't one are passed over", () => {
    expect([isDay("2026-11-31x"), isDay(null), isDay("2026-13-01"), isDay("2026-11-30")]).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });
});

describe("cells", () => {
  it("show what is unknown as unknown, and what goes on as going on", () => {
    const ended = column("ended_at", "instant");
    expect(show(ended, { ended_at: null, is_open: false })).toBe("–");
    expect(show(ended, { ended_at: null, is_open: true })).toBe("still going on");
    expect(show(ended, { ended_at: "2026-11-23T16:30:00Z" })).toBe("Tue 24 Nov 00:30");
    expect(show(column("km", "number"), { km: 0 })).toBe("0");
  });

  it("show names in the reader's language, else the code", () => {
    const name = column("carrier_name", "words", { names: "carrier" });
    expect(show(name, { carrier_name: { en: "Swift", zh: "迅达" } }, "zh")).toBe("迅达");
    expect(show(name, { carrier_name: { en: "Swift" } }, "zh")).toBe("Swift");
    expect(show(name, { carrier_name: null, carrier: "swift" })).toBe("swift");
    expect(show(name, { carrier_name: null, carrier: null })).toBe("–");
  });

  it("show figures with their decimals, shares in per cent, money with its currency", () => {
    expect(show(column("km", "number", { decimals: 1 }), { km: 12345.67 })).toBe("12,345.7");
    expect(show(column("share", "share", { decimals: 1 }), { share: 0.875 })).toBe("87.5 %");
    const cost = column("cost", "money", { decimals: 2 });
    expect(show(cost, { cost: 9.5, currency: "CNY" })).toBe("9.50 CNY");
    expect(show(cost, { cost: null, currency: null })).toBe("–");
  });

  it("leave details and the currency's own column to the files", () => {
    const columns = [
      column("a", "code"),
      column("b", "code", { is_detail: true }),
      column("currency", "code"),
    ];
    const report = { columns } as Report;
    expect(shownColumns(report).map((each) => each.name)).toEqual(["a"]);
  });
});

describe("sums", () => {
  const sums: Sums = {
    rows: 3,
    sums: { km: 1500.25, none: null },
    money: { cost: { CNY: 10, EUR: 2.5 } },
  };

  it("are never over different currencies", () => {
    const cost = column("cost", "money", { decimals: 2, is_summed: true });
    expect(sumLines(cost, sums, "en")).toEqual(["10.00 CNY", "2.50 EUR"]);
  });

  it("are left out where there is nothing to add up, not shown as 0", () => {
    expect(sumLines(column("none", "number", { is_summed: true }), sums, "en")).toEqual([]);
    expect(sumLines(column("km", "number"), sums, "en")).toEqual([]);
    expect(sumLines(column("km", "number", { is_summed: true, decimals: 1 }), sums, "en")).toEqual([
      "1,500.3",
    ]);
  });
});
