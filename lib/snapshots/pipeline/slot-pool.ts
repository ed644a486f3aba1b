/** Equal pieces of memory. Whoever needs one waits: this is where back-pressure comes from. */

export class SlotPool {
  readonly #free: number[];
  readonly #waiting: ((slot: number) => void)[] = [];

  constructor(slots: readonly unknown[]) {
    this.#free = [...slots.keys()];
  }

  /** Resolves with the number of a free slot. Its content is what the last user left. */
  async acquire(): Promise<number> {
    const free = this.#free.pop();
    return free ?? (await new Promise((resolve) => this.#waiting.push(resolve)));
  }

  release(slot: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(slot);
    } else {
      next(slot);
    }
  }
}
