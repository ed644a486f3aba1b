/** A file that is kept open while several batches read it, so that all read the same one. */
import { closeSync, openSync } from 'node:fs';
import { READ_FLAGS } from './batch-work.ts';

export class OpenFile implements Disposable {
  readonly fd: number;
  #users = 1;

  /** @throws the error of the file system */
  constructor(path: string) {
    this.fd = openSync(path, READ_FLAGS);
  }

  /** One more needs it open. */
  retain(): this {
    this.#users += 1;
    return this;
  }

  /** Whoever made or retained it lets go; the last one closes it. */
  [Symbol.dispose](): void {
    this.#users -= 1;
    if (this.#users === 0) {
      closeSync(this.fd);
    }
  }
}
