/** Writes to data bags that wait for the hook to succeed. */
import { bagId } from '../model/relations.ts';
import type { Reader, Transaction } from '../store/store.ts';

type Bag = Readonly<Record<string, string>>;

export class PendingBags {
  readonly #reader: Reader;
  /** Empty values delete. */
  readonly #writes = new Map<
    string,
    { readonly relation: number; readonly entity: string; readonly changes: Map<string, string> }
  >();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** What the charm sees: the committed data with its own writes; undefined where there is no bag. */
  read(relation: number, entity: string): Bag | undefined {
    const id = bagId(relation, entity);
    const committed = this.#reader.get('bag', id)?.data;
    const pending = this.#writes.get(id);
    return pending === undefined ? committed : merge(committed ?? {}, pending.changes);
  }

  write(relation: number, entity: string, values: Bag): void {
    const id = bagId(relation, entity);
    const pending = this.#writes.get(id) ?? { relation, entity, changes: new Map() };
    for (const [key, value] of Object.entries(values)) {
      pending.changes.set(key, value);
    }
    this.#writes.set(id, pending);
  }

  /** Entities written to: `app` or `app/0`. */
  get written(): readonly { readonly relation: number; readonly entity: string }[] {
    return [...this.#writes.values()];
  }

  /** Applies the writes; bags whose data stay the same keep their version. */
  flush(
    transaction: Transaction,
  ): readonly { readonly relation: number; readonly entity: string }[] {
    const changed = [...this.#writes.values()].filter(({ relation, entity, changes }) => {
      const id = bagId(relation, entity);
      const before = transaction.get('bag', id);
      const old = before?.data ?? {};
      const data = merge(old, changes);
      // The relation may have gone while the charm wrote to it.
      const gone = transaction.get('relation', String(relation)) === undefined;
      if (gone || sameBag(old, data)) {
        return false;
      }
      const { version, inScope } = before ?? { version: 0, inScope: false };
      transaction.put('bag', id, { relation, entity, data, version: version + 1, inScope });
      return true;
    });
    this.#writes.clear();
    return changed;
  }
}

function merge(base: Bag, changes: ReadonlyMap<string, string>): Bag {
  const merged = { ...base };
  for (const [key, value] of changes) {
    if (value === '') {
      delete merged[key];
    } else {
      merged[key] = value;
    }
  }
  return merged;
}

function sameBag(a: Bag, b: Bag): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
