/**
 * The durable state of a model: documents in SQLite, all of them also in memory.
 * Writing happens in transactions that survive kill -9 and power cuts as a whole or not at all;
 * reading never waits. Why SQLite: docs/decisions/0002-sandbox-store.md.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { HintError } from '#system';
import type { Documents, Kind } from '../model/documents.ts';
import { type Indexed, Indexes, type IndexName, keysOf, kindOf } from './indexes.ts';

/** Committed documents, read-only. */
export interface Reader {
  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined;
  /** @throws HintError `missing-document` when there is none. */
  require<K extends Kind>(kind: K, id: string): Documents[K];
  all<K extends Kind>(kind: K): readonly Documents[K][];
  /** The documents whose id begins with `partition/`. */
  within<K extends Kind>(kind: K, partition: string): readonly Documents[K][];
  /** The documents that an index has under `key`; order undefined. */
  find<I extends IndexName>(index: I, key: string): readonly Indexed<I>[];
}

/** Reads its own writes. */
export interface Transaction extends Reader {
  put<K extends Kind>(kind: K, id: string, document: Documents[K]): void;
  /** Replaces members of an existing document. An explicit `undefined` removes the member. */
  patch<K extends Kind>(kind: K, id: string, changes: Patch<Documents[K]>): Documents[K];
  remove(kind: Kind, id: string): void;
}

export type Patch<T> = { readonly [P in keyof T]?: T[P] | undefined };

export interface Store extends Reader {
  /** Runs `work` and commits what it wrote; nothing is written when it throws. Not reentrant. */
  transact<T>(work: (transaction: Transaction) => T, durability?: Durability): T;
  /** Calls back after every commit that wrote something, with what it wrote; the answer ends that. */
  onCommit(listener: (changes: readonly Change[]) => void): () => void;
  close(): void;
}

/**
 * What a commit survives when it returns: `machine` (the default) the end of the machine too, as it is on
 * the disk; `process` the end of the daemon, and a power cut only once a later commit is on the disk.
 */
export type Durability = 'machine' | 'process';

/** One document written by a commit; undefined `before`: new, undefined `after`: removed. */
export type Change<K extends Kind = Kind> = {
  readonly [P in K]: {
    readonly kind: P;
    readonly id: string;
    readonly before: Documents[P] | undefined;
    readonly after: Documents[P] | undefined;
  };
}[K];

/** Version of the table below and of the documents in it. */
const SCHEMA_VERSION = 1;

/**
 * Opens or creates the store in the file `path`; `:memory:` for tests.
 * @throws when another process has it open.
 */
export function openStore(path: string): Store {
  return new SqliteStore(path);
}

// In WAL mode FULL forces each commit to the disk, NORMAL leaves it to the kernel (and stays consistent).
const SYNCHRONOUS: Readonly<Record<Durability, string>> = {
  machine: 'PRAGMA synchronous = FULL',
  process: 'PRAGMA synchronous = NORMAL',
};

type Collection = Map<string, Map<string, Documents[Kind]>>;

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #upsert: StatementSync;
  readonly #delete: StatementSync;
  readonly #documents = new Map<Kind, Collection>();
  readonly #indexes = new Indexes();
  readonly #listeners = new Set<(changes: readonly Change[]) => void>();
  #busy = false;
  #durability: Durability = 'machine';

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    // EXCLUSIVE: the lock is held until this process ends, so there is one daemon a sandbox.
    this.#database.exec(
      `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; ${SYNCHRONOUS.machine}`,
    );
    prepareSchema(this.#database);
    this.#upsert = this.#database.prepare(
      'INSERT INTO document (kind, id, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body',
    );
    this.#delete = this.#database.prepare('DELETE FROM document WHERE kind = ? AND id = ?');
    for (const row of this.#database.prepare('SELECT kind, id, body FROM document').iterate()) {
      const document = JSON.parse(String(row['body'])) as Documents[Kind];
      this.#apply({ kind: String(row['kind']) as Kind, id: String(row['id']), document });
    }
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    const found = this.#documents.get(kind)?.get(partitionOf(id))?.get(id);
    return found as Documents[K] | undefined;
  }

  require<K extends Kind>(kind: K, id: string): Documents[K] {
    return required(this, kind, id);
  }

  all<K extends Kind>(kind: K): readonly Documents[K][] {
    const partitions = [...(this.#documents.get(kind)?.values() ?? [])];
    return partitions.flatMap((partition) => [...partition.values()]) as Documents[K][];
  }

  within<K extends Kind>(kind: K, partition: string): readonly Documents[K][] {
    const found = this.#documents.get(kind)?.get(partition)?.values() ?? [];
    return [...found] as Documents[K][];
  }

  find<I extends IndexName>(index: I, key: string): readonly Indexed<I>[] {
    return this.#indexes.find(index, key);
  }

  transact<T>(work: (transaction: Transaction) => T, durability: Durability = 'machine'): T {
    if (this.#busy) {
      throw new HintError('cannot begin a transaction inside another', { code: 'nested' });
    }
    this.#busy = true;
    let changes: readonly Change[] = [];
    try {
      const transaction = new WritingTransaction(this);
      const result = work(transaction);
      changes = this.#commit(transaction.writes, durability);
      return result;
    } finally {
      this.#busy = false;
      if (changes.length > 0) {
        this.#listeners.forEach((listener) => {
          listener(changes);
        });
      }
    }
  }

  onCommit(listener: (changes: readonly Change[]) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  close(): void {
    this.#database.close();
  }

  #commit(writes: Writes, durability: Durability): readonly Change[] {
    if (writes.size === 0) {
      return [];
    }
    this.#begin(durability);
    try {
      for (const { kind, id, document } of writes.values()) {
        if (document === undefined) {
          this.#delete.run(kind, id);
        } else {
          this.#upsert.run(kind, id, JSON.stringify(document));
        }
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
    return [...writes.values()].map((write) => this.#apply(write));
  }

  #begin(durability: Durability): void {
    if (durability !== this.#durability) {
      this.#database.exec(SYNCHRONOUS[durability]);
      this.#durability = durability;
    }
    this.#database.exec('BEGIN IMMEDIATE');
  }

  /** The committed write also in memory. */
  #apply({ kind, id, document }: Write): Change {
    const collection = this.#collection(kind, id);
    const before = collection.get(id);
    if (document === undefined) {
      collection.delete(id);
    } else {
      collection.set(id, document);
    }
    this.#indexes.update(kind, id, {
      ...(before === undefined ? {} : { before }),
      ...(document === undefined ? {} : { after: document }),
    });
    return { kind, id, before, after: document } as Change;
  }

  #collection(kind: Kind, id: string): Map<string, Documents[Kind]> {
    const partitions: Collection = this.#documents.get(kind) ?? new Map();
    this.#documents.set(kind, partitions);
    const name = partitionOf(id);
    const partition = partitions.get(name) ?? new Map<string, Documents[Kind]>();
    partitions.set(name, partition);
    return partition;
  }
}

interface Write {
  readonly kind: Kind;
  readonly id: string;
  readonly document: Documents[Kind] | undefined;
}

type Writes = Map<string, Write>;

class WritingTransaction implements Transaction {
  readonly writes: Writes = new Map();
  readonly #base: Reader;

  constructor(base: Reader) {
    this.#base = base;
  }

  get<K extends Kind>(kind: K, id: string): Documents[K] | undefined {
    const written = this.writes.get(`${kind} ${id}`);
    return written === undefined
      ? this.#base.get(kind, id)
      : (written.document as Documents[K] | undefined);
  }

  require<K extends Kind>(kind: K, id: string): Documents[K] {
    return required(this, kind, id);
  }

  all<K extends Kind>(kind: K): readonly Documents[K][] {
    return this.#overlay(kind, this.#base.all(kind), () => true);
  }

  within<K extends Kind>(kind: K, partition: string): readonly Documents[K][] {
    return this.#overlay(
      kind,
      this.#base.within(kind, partition),
      (id) => partitionOf(id) === partition,
    );
  }

  find<I extends IndexName>(index: I, key: string): readonly Indexed<I>[] {
    const found = this.#overlay(kindOf(index), this.#base.find(index, key), (_id, document) =>
      keysOf(index, document as Indexed<I>).includes(key),
    );
    return found as readonly Indexed<I>[];
  }

  put<K extends Kind>(kind: K, id: string, document: Documents[K]): void {
    this.writes.set(`${kind} ${id}`, { kind, id, document });
  }

  patch<K extends Kind>(kind: K, id: string, changes: Patch<Documents[K]>): Documents[K] {
    const merged = { ...this.require(kind, id), ...changes };
    const entries = Object.entries(merged).filter(([, value]) => value !== undefined);
    const document = Object.fromEntries(entries) as unknown as Documents[K];
    this.put(kind, id, document);
    return document;
  }

  remove(kind: Kind, id: string): void {
    this.writes.set(`${kind} ${id}`, { kind, id, document: undefined });
  }

  #overlay<K extends Kind>(
    kind: K,
    base: readonly Documents[K][],
    belongs: (id: string, document: Documents[Kind]) => boolean,
  ): readonly Documents[K][] {
    const own = [...this.writes.values()].filter((write) => write.kind === kind);
    if (own.length === 0) {
      return base;
    }
    const replaced = new Set(own.map(({ id }) => this.#base.get(kind, id)));
    const added = own.flatMap(({ id, document }) =>
      document !== undefined && belongs(id, document) ? [document] : [],
    );
    return [...base.filter((document) => !replaced.has(document)), ...(added as Documents[K][])];
  }
}

function required<K extends Kind>(reader: Reader, kind: K, id: string): Documents[K] {
  const document = reader.get(kind, id);
  if (document === undefined) {
    throw new HintError(`${kind} ${JSON.stringify(id)} not found`, { code: 'missing-document' });
  }
  return document;
}

function partitionOf(id: string): string {
  return id.split('/', 1)[0] ?? id;
}

function prepareSchema(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > SCHEMA_VERSION) {
    throw new HintError(`cannot open the model store: it has format ${version}`, {
      code: 'newer-format',
      hint: 'it was written by a newer version; use that one, or remove the sandbox',
    });
  }
  database.exec(
    `BEGIN IMMEDIATE;
     CREATE TABLE IF NOT EXISTS document (
       kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)
     ) WITHOUT ROWID;
     PRAGMA user_version = ${SCHEMA_VERSION};
     COMMIT`,
  );
}
