/**
 * Lets something happen at once, but not more often than every `every_ms`; what comes in between
 * happens together at the end. Large figures on a wall must stand long enough to be read.
 */
export class Throttle {
  private ranAt_ms = -Infinity;
  private waits = false;

  constructor(
    private readonly every_ms: number,
    private readonly run: () => void,
    private readonly now_ms: () => number = () => performance.now(),
    private readonly later: (run: () => void, ms: number) => unknown = (run, ms) =>
      setTimeout(run, ms),
  ) {}

  ask(): void {
    if (this.waits) return;
    const wait_ms = this.ranAt_ms + this.every_ms - this.now_ms();
    if (wait_ms <= 0) return this.fire();
    this.waits = true;
    this.later(() => this.fire(), wait_ms);
  }

  private fire(): void {
    this.waits = false;
    this.ranAt_ms = this.now_ms();
    this.run();
  }
}
