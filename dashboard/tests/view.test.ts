import { describe, expect, it } from "vitest";

import { DeviceToken } from "../src/lib/session/token";
import { PAGE_S, pageAt, rowsThatFit } from "../src/lib/view/pages";
import { pickDensity, pickTheme } from "../src/lib/view/setting";
import { Throttle } from "../src/lib/view/throttle";
import { contrast, tokens, type Palette, type Theme } from "../src/lib/view/tokens";

describe("both themes", () => {
  const texts: (keyof Palette)[] = ["text", "muted", "accent", "critical", "warning", "good"];
  const grounds: (keyof Palette)[] = ["ground", "panel", "raised", "land", "water"];

  for (const theme of ["dark", "light"] as Theme[]) {
    it(`can be read from afar (${theme}): 7:1 for every text on every ground`, () => {
      const palette: Palette = tokens[theme];
      const weak = texts.flatMap((text) =>
        grounds
          .filter((ground) => contrast(palette[text], palette[ground]) < 7)
          .map((ground) => `${text} on ${ground} ${contrast(palette[text], palette[ground])}`),
      );
      expect(weak).toEqual([]);
      expect(contrast(palette.text, palette.tag)).toBeGreaterThanOrEqual(7);
      expect(contrast("#ffffff", palette.bannerLost)).toBeGreaterThanOrEqual(7);
    });

    it(`shows shapes (${theme}): 3:1 for every mark on its ground`, () => {
      const palette: Palette = tokens[theme];
      for (const fill of ["criticalFill", "warningFill", "goodFill", "infoFill"] as const) {
        expect(contrast(palette[fill], palette.panel)).toBeGreaterThanOrEqual(3);
      }
    });
  }
});

describe("long lists", () => {
  it("turn pages and show every row in the end", () => {
    const items = [1, 2, 3, 4, 5];
    const seen = [0, 1, 2].flatMap((turn) => pageAt(items, 2, turn * PAGE_S * 1000).items);
    expect(seen).toEqual(items);
    expect(pageAt([], 2, 0)).toEqual({ items: [], number: 1, of: 1 });
  });

  it("show at least one row in the smallest panel", () => {
    expect(rowsThatFit(0, 3, 16)).toBe(1);
    expect(rowsThatFit(160, 3, 16)).toBe(3);
  });
});

describe("figures", () => {
  it("stand two seconds, and the last change is never lost", () => {
    let now_ms = 0;
    const runs: number[] = [];
    const waiting: { run: () => void; at_ms: number }[] = [];
    const throttle = new Throttle(
      2000,
      () => runs.push(now_ms),
      () => now_ms,
      (run, ms) => waiting.push({ run, at_ms: now_ms + ms }),
    );
    throttle.ask();
    now_ms = 500;
    throttle.ask();
    throttle.ask();
    expect(runs).toEqual([0]);
    expect(waiting.map((each) => each.at_ms)).toEqual([2000]);
    now_ms = 2000;
    waiting[0]?.run();
    expect(runs).toEqual([0, 2000]);
  });
});

describe("how a screen is asked for", () => {
  it("is dark and for the hall unless told otherwise", () => {
    expect([pickTheme(null, null), pickTheme("light", "dark"), pickTheme("x", "light")]).toEqual([
      "dark",
      "light",
      "light",
    ]);
    expect([pickDensity(null), pickDensity("far"), pickDensity("huge")]).toEqual([
      "normal",
      "far",
      "normal",
    ]);
  });
});

describe("the device token", () => {
  function keep() {
    const kept = new Map<string, string>();
    return {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
  }

  it("survives a reload without its fragment, until it is refused", () => {
    const tab = keep();
    expect(new DeviceToken("#token=abc", tab).value).toBe("abc");
    const reloaded = new DeviceToken("", tab);
    expect(reloaded.value).toBe("abc");
    reloaded.forget();
    expect(new DeviceToken("", tab).value).toBeNull();
  });

  it("is not invented from an empty fragment", () => {
    expect(new DeviceToken("#token=", keep()).value).toBeNull();
    expect(new DeviceToken("", keep()).value).toBeNull();
  });
});
