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
    for await (const chunk of this.lend(start, length)) {
      yield Buffer.from(chunk);
    }
  }

  /**
   * The same without copies and garbage: a chunk is good until the next one is asked for. While it is
   * in use, the next one is read into a second buffer.
   */
  async *lend(start: number, length: number): AsyncGenerator<Buffer> {
    const size = Math.min(CHUNK_BYTES, length);
    const end = start + length;
    let [current, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
    let reading = this.#read(current, start, end);
    try {
      for (let position = start; position < end; ) {
        const bytesRead = await reading;
        position += bytesRead;
        reading = this.#read(other, position, end);
        yield current.subarray(0, bytesRead);
        [current, other] = [other, current];
      }
    } finally {
      // The file must not be closed under a read: its number may be another file's by then.
      await reading.catch(() => undefined);
    }
  }

  // Fills the buffer as far as the range goes; 0 at its end.
  async #read(buffer: Buffer, position: number, end: number): Promise<number> {
    const length = Math.min(buffer.length, end - position);
    if (length <= 0) {
      return 0;
    }
    const { bytesRead } = await readAsync(this.#file, buffer, 0, length, position);
    if (bytesRead === 0) {
      throw new Error('a stored object is shorter than its record says');
    }
    return bytesRead;
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      closeSync(this.#file);
    }
  }
}
