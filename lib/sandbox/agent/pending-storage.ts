/** Storage as a running hook sees it, and what it adds; committed with the hook. */
import type { StorageDocument } from '../model/documents.ts';
import { addStorage, storageOf } from '../model/storage.ts';
import type { Reader, Transaction } from '../store/store.ts';

export class PendingStorage {
  readonly #unit: string;
  /** As it was when the hook began. */
  readonly #attached: readonly StorageDocument[];
  readonly #added: { readonly name: string; readonly count: number }[] = [];

  constructor(reader: Reader, unit: string) {
    this.#unit = unit;
    this.#attached = storageOf(reader, unit);
  }

  /** What is attached to the unit. */
  get attached(): readonly StorageDocument[] {
    return this.#attached;
  }

  find(id: string): StorageDocument | undefined {
    return this.#attached.find((one) => one.id === id);
  }

  add(name: string, count: number): void {
    this.#added.push({ name, count });
  }

  /** @throws ModelError with Juju's message when the charm may not have so much. */
  flush(transaction: Transaction, now: string): void {
    for (const { name, count } of this.#added) {
      addStorage(transaction, this.#unit, name, { count }, now);
    }
  }
}
