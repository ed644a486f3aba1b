/** Nested results of an action, as action-set builds them. */
import type { JsonRecord, JsonValue } from '../json.ts';

interface Nested {
  [key: string]: string | Nested;
}

export class ActionResults {
  readonly #values: Nested = {};
  /** Why the charm says that the action failed. */
  failure: string | undefined;

  /** Sets a value; scalars in the way become maps, maps in the way are replaced. */
  set(path: readonly string[], value: string): void {
    let level = this.#values;
    for (const key of path.slice(0, -1)) {
      const found = level[key];
      const next = typeof found === 'object' ? found : {};
      level[key] = next;
      level = next;
    }
    level[path.at(-1) ?? ''] = value;
  }

  get values(): JsonRecord {
    return this.#values satisfies Record<string, JsonValue>;
  }
}
