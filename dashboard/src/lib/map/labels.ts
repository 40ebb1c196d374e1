/**
 * Where labels go on the canvas: in order of importance, each tries right, left, below, above and the
 * corners of its point and is left out when all would cover something already there.
 */
export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface LabelWish {
  x: number;
  y: number;
  w: number;
  h: number;
  /** Distance from the point to the text. */
  gap: number;
}

export class LabelSpace {
  private readonly taken: Rect[] = [];
  private readonly soft: Rect[] = [];

  constructor(private readonly bounds: Rect) {}

  block(rect: Rect): void {
    this.taken.push(rect);
  }

  /** What only a text that has to be written may cover. */
  blockSoftly(rect: Rect): void {
    this.soft.push(rect);
  }

  /** Left edge and vertical middle of the text, or null when there is no room. */
  place(wish: LabelWish, overSoft = false): { x: number; y: number } | null {
    const blocked = overSoft ? this.taken : [...this.taken, ...this.soft];
    const { x, y, w, h, gap } = wish;
    const corners: [number, number][] = [
      [x + gap, y - h / 2],
      [x - gap - w, y - h / 2],
      [x - w / 2, y + gap],
      [x - w / 2, y - gap - h],
      [x + gap * 0.7, y + gap * 0.7],
      [x + gap * 0.7, y - gap * 0.7 - h],
      [x - gap * 0.7 - w, y + gap * 0.7],
      [x - gap * 0.7 - w, y - gap * 0.7 - h],
    ];
    for (const [left, top] of corners) {
      const rect = { x: left, y: top, w, h };
      if (!this.inside(rect) || blocked.some((other) => overlap(rect, other))) continue;
      this.taken.push(rect);
      return { x: left, y: top + h / 2 };
    }
    return null;
  }

  /** To the right, whatever is there, kept inside. */
  force(wish: LabelWish): { x: number; y: number } {
    const { x, y, w, h, gap } = wish;
    const right = this.bounds.x + this.bounds.w - w;
    const rect = { x: Math.max(this.bounds.x, Math.min(right, x + gap)), y: y - h / 2, w, h };
    this.taken.push(rect);
    return { x: rect.x, y };
  }

  private inside(rect: Rect): boolean {
    const { x, y, w, h } = this.bounds;
    return rect.x >= x && rect.y >= y && rect.x + rect.w <= x + w && rect.y + rect.h <= y + h;
  }
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
