/**
 * The current picture of one channel: entities by key, where only a newer version replaces an older
 * one and `gone` removes. Fed by a subscription, read by the pages.
 */
import type { EntityHead } from "./entities";

/** What an event channel keeps; state channels keep one entity per thing and need no limit. */
export const MOVEMENTS_KEPT_MAX = 200;

export class Picture<E extends EntityHead> {
  readonly entities = new Map<string, E>();
  /** How many entities the limit has pushed out. */
  dropped = 0;

  constructor(private readonly keptMax = Infinity) {}

  replace(entities: Iterable<E>): void {
    this.entities.clear();
    this.update(entities, []);
  }

  update(up: Iterable<E>, rm: Iterable<string>): void {
    for (const entity of up) this.put(entity);
    for (const key of rm) this.entities.delete(key);
    for (const oldest of this.entities.keys()) {
      if (this.entities.size <= this.keptMax) break;
      this.entities.delete(oldest);
      this.dropped += 1;
    }
  }

  private put(entity: E): void {
    const known = this.entities.get(entity.key);
    if (known !== undefined && known.version > entity.version) return;
    if (entity.gone === true) this.entities.delete(entity.key);
    else this.entities.set(entity.key, entity);
  }
}
