/** Reads a range of a stored body. */
import { closeSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';

const readAsync = promisify(read);
const CHUNK_BYTES = 512 * 1024;

/** An open body; it stays whole when the object is replaced or deleted meanwhile. */
export class ObjectReader implements Disposable {
  readonly #file: number;
  #isOpen = true;

  /** Opens at once, so that the record just looked up and the file belong together. */
  constructor(path: string) {
    this.#file = openSync(path, 'r');
  }

  /** The bytes of the range, which must lie within the body. */
  async *range(start: number, length: number): AsyncGenerator<Buffer> {
    let position = start;
    const end = start + length;
    while (position < end) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, end - position));
      const { bytesRead } = await readAsync(this.#file, buffer, 0, buffer.length, position);
      if (bytesRead === 0) {
        throw new Error('a stored object is shorter than its record says');
      }
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      closeSync(this.#file);
    }
  }
}
