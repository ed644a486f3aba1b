/** Stops requests to an S3 server at a point a test chooses, for as long as it needs: no guess how slow is slow enough. */
import type { Fault } from '#sandbox';

export class Gate {
  #shut: { free: number; readonly opened: PromiseWithResolvers<void> } | undefined;
  #reached = Promise.withResolvers<void>();

  /** From now on requests wait, but for the first few. */
  shut(free = 0): void {
    this.#shut = { free, opened: Promise.withResolvers() };
    this.#reached = Promise.withResolvers();
  }

  /** Lets everything through, what waits included. */
  open(): void {
    this.#shut?.opened.resolve();
    this.#shut = undefined;
  }

  /** Comes true when the first request waits. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  /** For one request that comes to the gate. */
  pass(): Fault | undefined {
    if (this.#shut === undefined) {
      return undefined;
    }
    if (this.#shut.free > 0) {
      this.#shut.free -= 1;
      return undefined;
    }
    this.#reached.resolve();
    return { kind: 'hold', until: this.#shut.opened.promise };
  }
}
