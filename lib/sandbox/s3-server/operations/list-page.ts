/** One page of the keys of a bucket, folded by delimiter: what both versions of the list share. */
import { compareKeys, type KeyIndex } from '../storage/key-index.ts';
import type { ObjectRecord } from '../storage/object-file.ts';

export interface ListQuery {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** Only what comes after this key or common prefix. */
  readonly after: string;
  readonly maxKeys: number;
}

export interface ListPage {
  readonly contents: readonly ObjectRecord[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of the page when more follow. */
  readonly next: string | undefined;
}

/** Sorts after everything else with the same beginning. */
const LAST = '\u{10ffff}';

/** Takes at most `maxKeys` keys and common prefixes together. */
export function listPage(index: KeyIndex, query: ListQuery): ListPage {
  const page = new PageBuilder(query);
  const walk = index.walk(startOf(query));
  let step = walk.next();
  while (step.done !== true && step.value.key.startsWith(query.prefix)) {
    const folded = commonPrefixOf(step.value.key, query);
    if (!page.add(step.value, folded)) {
      return page.truncated();
    }
    step = walk.next(folded !== undefined && folded === page.last ? folded + LAST : undefined);
  }
  return page.complete();
}

class PageBuilder {
  readonly #contents: ObjectRecord[] = [];
  readonly #commonPrefixes: string[] = [];
  readonly #maxKeys: number;
  #last: string;

  constructor(query: ListQuery) {
    this.#maxKeys = query.maxKeys;
    this.#last = query.after;
  }

  /** The last entry, at first the one the page comes after. */
  get last(): string {
    return this.#last;
  }

  /** False when there is no room for the entry. One that was seen already is passed over. */
  add(record: ObjectRecord, commonPrefix: string | undefined): boolean {
    const entry = commonPrefix ?? record.key;
    if (entry === this.#last || record.key === this.#last) {
      return true;
    }
    if (this.#contents.length + this.#commonPrefixes.length >= this.#maxKeys) {
      return false;
    }
    this.#last = entry;
    if (commonPrefix === undefined) {
      this.#contents.push(record);
    } else {
      this.#commonPrefixes.push(commonPrefix);
    }
    return true;
  }

  complete(): ListPage {
    return { contents: this.#contents, commonPrefixes: this.#commonPrefixes, next: undefined };
  }

  // A page for no keys at all counts as complete, as in S3.
  truncated(): ListPage {
    return { ...this.complete(), next: this.#maxKeys === 0 ? undefined : this.#last };
  }
}

// The walk begins at keys equal to or after its start; a common prefix covers all keys below it.
function startOf({ prefix, delimiter, after }: ListQuery): string {
  const isFolded = delimiter !== '' && after.length > prefix.length && after.endsWith(delimiter);
  const from = isFolded ? after + LAST : after;
  return compareKeys(from, prefix) > 0 ? from : prefix;
}

function commonPrefixOf(key: string, { prefix, delimiter }: ListQuery): string | undefined {
  const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return end === -1 ? undefined : key.slice(0, end + delimiter.length);
}
