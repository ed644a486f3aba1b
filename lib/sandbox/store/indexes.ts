/** Ways to find documents by more than their id, kept up to date with every commit. */
import type { Documents, Kind } from '../model/documents.ts';

interface IndexedKinds {
  /** Relations an application takes part in. */
  'relations of application': 'relation';
  /** Subordinate units by their principals. */
  'subordinates of unit': 'unit';
  /** Tasks of a unit that wait for it. */
  'pending tasks of unit': 'task';
  /** Secrets by the name of their owner. */
  'secrets of owner': 'secret';
  /** Secrets by the units that read them. */
  'secrets of consumer': 'secret';
}

export type IndexName = keyof IndexedKinds;
export type Indexed<I extends IndexName> = Documents[IndexedKinds[I]];

interface Index<I extends IndexName> {
  readonly kind: IndexedKinds[I];
  readonly keys: (document: Indexed<I>) => readonly string[];
}

const INDEXES: { readonly [I in IndexName]: Index<I> } = {
  'relations of application': {
    kind: 'relation',
    keys: ({ endpoints }) => endpoints.map(({ application }) => application),
  },
  'subordinates of unit': {
    kind: 'unit',
    keys: ({ principal }) => (principal === undefined ? [] : [principal]),
  },
  'pending tasks of unit': {
    kind: 'task',
    keys: ({ unit, status }) => (status === 'pending' ? [unit] : []),
  },
  'secrets of owner': { kind: 'secret', keys: ({ owner }) => [owner.name] },
  'secrets of consumer': { kind: 'secret', keys: ({ consumers }) => Object.keys(consumers) },
};

export function kindOf(index: IndexName): Kind {
  return INDEXES[index].kind;
}

export function keysOf<I extends IndexName>(index: I, document: Indexed<I>): readonly string[] {
  return INDEXES[index].keys(document);
}

/** The indexes of committed documents. */
export class Indexes {
  readonly #entries = new Map<string, Map<string, Documents[Kind]>>();

  find<I extends IndexName>(index: I, key: string): readonly Indexed<I>[] {
    return [...(this.#entries.get(`${index} ${key}`)?.values() ?? [])] as Indexed<I>[];
  }

  /** Takes notice of a document written: `before` undefined when new, `after` when removed. */
  update(
    kind: Kind,
    id: string,
    change: { readonly before?: Documents[Kind]; readonly after?: Documents[Kind] },
  ): void {
    for (const index of Object.keys(INDEXES) as IndexName[]) {
      if (kindOf(index) === kind) {
        for (const entry of entriesOf(index, change.before)) {
          this.#drop(entry, id);
        }
        for (const entry of entriesOf(index, change.after)) {
          this.#add(entry, id, change.after);
        }
      }
    }
  }

  #add(entry: string, id: string, document: Documents[Kind] | undefined): void {
    const found = this.#entries.get(entry) ?? new Map<string, Documents[Kind]>();
    if (document !== undefined) {
      this.#entries.set(entry, found.set(id, document));
    }
  }

  #drop(entry: string, id: string): void {
    const found = this.#entries.get(entry);
    found?.delete(id);
    if (found?.size === 0) {
      this.#entries.delete(entry);
    }
  }
}

function entriesOf(index: IndexName, document: Documents[Kind] | undefined): readonly string[] {
  return document === undefined
    ? []
    : keysOf(index, document as Indexed<typeof index>).map((key) => `${index} ${key}`);
}
