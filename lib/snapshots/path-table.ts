/**
 * What is known of each of very many paths, in some 16 bytes a path: by a hash with a salt of this process instead of the text. Two
 * paths of a million are taken for one with a chance of 1 in 10⁷, in this process and not in the next.
 */
import { hash, randomBytes } from 'node:crypto';

/** From 1 to 3; 0 stands for nothing. */
export type PathFact = 0 | 1 | 2 | 3;

const FIRST_SLOTS = 1024;
const MAX_LOAD = 0.6;
const FACT_BITS = 0b11;

export class PathTable {
  readonly #salt = randomBytes(16).toString('hex');
  /** Two words a slot: the first of the hash, and the second with the fact in its lowest bits. */
  #words = new Uint32Array(2 * FIRST_SLOTS);
  #count = 0;

  get(path: string): PathFact {
    const { slot } = this.#find(path);
    return ((this.#words[slot + 1] ?? 0) & FACT_BITS) as PathFact;
  }

  /** Notes it of a path that nothing is known of yet. @returns what was known before, which then stays */
  add(path: string, fact: Exclude<PathFact, 0>): PathFact {
    const { slot, first, second } = this.#find(path);
    const known = ((this.#words[slot + 1] ?? 0) & FACT_BITS) as PathFact;
    if (known === 0) {
      put(this.#words, slot, first, second | fact);
      this.#count += 1;
      if (this.#count * 2 > this.#words.length * MAX_LOAD) {
        this.#grow();
      }
    }
    return known;
  }

  replace(path: string, fact: Exclude<PathFact, 0>): void {
    const { slot, first, second } = this.#find(path);
    put(this.#words, slot, first, second | fact);
  }

  #find(path: string) {
    const digest = hash('sha256', `${this.#salt}${path}`, 'hex');
    const first = Number.parseInt(digest.slice(0, 8), 16);
    const second = (Number.parseInt(digest.slice(8, 16), 16) & ~FACT_BITS) >>> 0;
    return { slot: find(this.#words, first, second), first, second };
  }

  #grow(): void {
    const words = new Uint32Array(2 * this.#words.length);
    for (let slot = 0; slot < this.#words.length; slot += 2) {
      const first = this.#words[slot] ?? 0;
      const second = this.#words[slot + 1] ?? 0;
      if ((second & FACT_BITS) !== 0) {
        put(words, find(words, first, (second & ~FACT_BITS) >>> 0), first, second);
      }
    }
    this.#words = words;
  }
}

/** The slot it is in, or would be. */
function find(words: Uint32Array, first: number, second: number): number {
  const last = words.length / 2 - 1;
  for (let at = first & last; ; at = (at + 1) & last) {
    const known = words[2 * at + 1] ?? 0;
    const isThis = words[2 * at] === first && (known & ~FACT_BITS) >>> 0 === second;
    if ((known & FACT_BITS) === 0 || isThis) {
      return 2 * at;
    }
  }
}

function put(words: Uint32Array, slot: number, first: number, second: number): void {
  words[slot] = first;
  words[slot + 1] = second;
}
