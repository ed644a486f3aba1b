/** The records of a bucket by key, and in the order in which S3 lists them: that of UTF-8 bytes. */
import type { ObjectRecord } from './object-file.ts';

/** A map that can also be walked from any key on. */
export class KeyIndex {
  readonly #records: Map<string, ObjectRecord>;
  readonly #keys: string[];

  constructor(records: Iterable<ObjectRecord> = []) {
    this.#records = new Map(Array.from(records, (record) => [record.key, record]));
    this.#keys = [...this.#records.keys()].toSorted(compareKeys);
  }

  get size(): number {
    return this.#records.size;
  }

  get(key: string): ObjectRecord | undefined {
    return this.#records.get(key);
  }

  set(record: ObjectRecord): void {
    if (!this.#records.has(record.key)) {
      this.#keys.splice(this.#firstAtLeast(record.key), 0, record.key);
    }
    this.#records.set(record.key, record);
  }

  delete(key: string): void {
    if (this.#records.delete(key)) {
      this.#keys.splice(this.#firstAtLeast(key), 1);
    }
  }

  /** Records whose key is `from` or comes after it. Changing the index meanwhile is not allowed. */
  *walk(from: string): Generator<ObjectRecord, void, string | undefined> {
    let position = this.#firstAtLeast(from);
    for (;;) {
      const record = this.#records.get(this.#keys[position] ?? '');
      if (record === undefined || position >= this.#keys.length) {
        return;
      }
      const skipTo = yield record;
      position = skipTo === undefined ? position + 1 : this.#firstAtLeast(skipTo);
    }
  }

  #firstAtLeast(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** Orders strings as their UTF-8 bytes. UTF-16 differs only where surrogates meet U+E000 and above. */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) {
      return rank(a) - rank(b);
    }
  }
  return left.length - right.length;
}

function rank(unit: number): number {
  const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
  return isSurrogate ? unit + 0x10000 : unit;
}
