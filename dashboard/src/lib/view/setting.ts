/** How a screen was asked to look: from its address, else as it was chosen here before. */
import type { Theme } from "./tokens";

/** Viewing distance: `near` for a desk, `normal` for 3–5 m, `far` beyond. */
export type Density = "near" | "normal" | "far";

export const SCALE: Record<Density, number> = { near: 0.8, normal: 1, far: 1.15 };

export function pickTheme(asked: string | null, remembered: string | null): Theme {
  for (const wish of [asked, remembered]) if (wish === "dark" || wish === "light") return wish;
  return "dark";
}

export function pickDensity(asked: string | null): Density {
  return asked === "near" || asked === "far" ? asked : "normal";
}
