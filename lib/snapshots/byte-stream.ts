/** Bytes that come in pieces of any size, cut where their reader wants. */

export class ByteStream {
  readonly #source: AsyncIterator<readonly Uint8Array[]>;
  #pieces: Uint8Array[] = [];
  /** Bytes of what was taken last that nobody has read yet. */
  #owed = 0;

  constructor(source: AsyncIterable<readonly Uint8Array[]>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next so many bytes, once `skip` was awaited. @throws Error where there are fewer */
  take(size: number): AsyncIterable<Uint8Array> {
    this.#owed = size;
    return this.#read();
  }

  /** Leaves out what was taken last and not read. */
  async skip(): Promise<void> {
    while (this.#owed > 0) {
      await this.#next();
    }
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async *#read(): AsyncIterable<Uint8Array> {
    while (this.#owed > 0) {
      yield await this.#next();
    }
  }

  async #next(): Promise<Uint8Array> {
    while (this.#pieces.length === 0) {
      const item = await this.#source.next();
      if (item.done === true) {
        throw new Error(`the content ends ${this.#owed} bytes early`);
      }
      this.#pieces = item.value.filter(({ length }) => length > 0).toReversed();
    }
    const [piece = new Uint8Array()] = this.#pieces.splice(-1);
    const part = piece.subarray(0, this.#owed);
    if (part.length < piece.length) {
      this.#pieces.push(piece.subarray(part.length));
    }
    this.#owed -= part.length;
    return part;
  }
}
