/**
 * The colours of both themes, once: the style sheet reads them as custom properties, the map's
 * canvas as values, and a test holds every text colour to a contrast of 7:1 on every ground it
 * stands on. Normal is muted; red, amber and green are kept for severity.
 */
export type Theme = "dark" | "light";

/** Fonts of the system only; Latin and 简体中文 of one family where the system has one. */
export const FONT = [
  "Inter",
  '"Segoe UI"',
  "-apple-system",
  "Roboto",
  '"Noto Sans"',
  '"Noto Sans CJK SC"',
  '"PingFang SC"',
  '"Microsoft YaHei"',
  "system-ui",
  "sans-serif",
].join(", ");

export const tokens = {
  dark: {
    ground: "#0a0f14",
    panel: "#121920",
    raised: "#1b2630",
    tag: "#283541",
    line: "#2a3641",
    text: "#f1f5f7",
    muted: "#b3c0c9",
    accent: "#8cc8f5",
    critical: "#ff9a91",
    warning: "#ffc65c",
    good: "#7fdca0",
    criticalFill: "#ff5f52",
    warningFill: "#ffb020",
    goodFill: "#3fbf72",
    infoFill: "#8cc8f5",
    bannerLost: "#a3121f",
    bar: "#3f6f96",
    barLow: "#2b3a47",
    water: "#0b1118",
    land: "#1f2a34",
    coast: "#3b4b58",
    inland: "#0f1820",
    graticule: "#1a252f",
    route: "#4d6b84",
    halo: "#0a0f14",
  },
  light: {
    ground: "#e9edf0",
    panel: "#ffffff",
    raised: "#f0f3f6",
    tag: "#e3e9ee",
    line: "#cfd7dd",
    text: "#0e161d",
    muted: "#3f4c57",
    accent: "#0b4a7d",
    critical: "#960f1a",
    warning: "#6f4300",
    good: "#0a5630",
    criticalFill: "#cf2230",
    warningFill: "#c27700",
    goodFill: "#1f8a4c",
    infoFill: "#2a6fa8",
    bannerLost: "#a3121f",
    bar: "#6f9dc2",
    barLow: "#dde4e9",
    water: "#e4ebef",
    land: "#f7f7f3",
    coast: "#aab8c2",
    inland: "#e4ebef",
    graticule: "#d3dce2",
    route: "#7d97ac",
    halo: "#ffffff",
  },
} satisfies Record<Theme, Record<string, string>>;

export type Palette = Record<keyof (typeof tokens)["dark"], string>;

export function applyTheme(theme: Theme, root: HTMLElement): void {
  root.dataset["theme"] = theme;
  root.style.colorScheme = theme;
  root.style.fontFamily = FONT;
  for (const [name, colour] of Object.entries(tokens[theme])) {
    root.style.setProperty(`--${name}`, colour);
  }
}

/** Contrast ratio of two #rrggbb colours (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [dim, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [
    number,
    number,
  ];
  return (bright + 0.05) / (dim + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const channel = parseInt(colour.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
