/** Lets a source of entries wait until everything it has handed out has been read. */

export class ReadBarrier {
  #settle: () => Promise<void> = async () => undefined;

  /** Resolves when all files handed out so far have been read; rejects when the backup has failed. */
  async settled(): Promise<void> {
    await this.#settle();
  }

  /** The reader says how. */
  attach(settle: () => Promise<void>): void {
    this.#settle = settle;
  }
}
