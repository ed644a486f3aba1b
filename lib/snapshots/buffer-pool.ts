/** A fixed number of equal buffers. Whoever needs one waits: this is where back-pressure comes from. */

export class BufferPool {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  readonly #size: number;
  #toAllocate: number;

  constructor(count: number, size: number) {
    this.#toAllocate = count;
    this.#size = size;
  }

  /** Resolves as soon as a buffer is free. Its content is what the last user left. */
  async acquire(): Promise<Buffer> {
    const free = this.#free.pop();
    if (free !== undefined) {
      return free;
    }
    if (this.#toAllocate > 0) {
      this.#toAllocate -= 1;
      return Buffer.allocUnsafeSlow(this.#size);
    }
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(buffer);
    } else {
      next(buffer);
    }
  }
}
