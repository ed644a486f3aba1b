/** A fixed number of equal things. Whoever needs one waits: this is where back-pressure comes from. */

export class Pool<T> {
  readonly #free: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];
  readonly #count: number;
  readonly #make: (index: number) => T;
  #made = 0;

  /** @param make Makes one when it is first needed; they are numbered from 0 */
  constructor(count: number, make: (index: number) => T) {
    this.#count = count;
    this.#make = make;
  }

  /** Resolves as soon as one is free. Memory holds what its last user left. */
  async acquire(): Promise<T> {
    const free = this.#free.pop();
    if (free !== undefined) {
      return free;
    }
    if (this.#made < this.#count) {
      this.#made += 1;
      return this.#make(this.#made - 1);
    }
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(item: T): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(item);
    } else {
      next(item);
    }
  }
}
