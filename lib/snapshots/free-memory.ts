/** Gives big buffers back at once: left to the garbage collector, a fast pipeline holds a hundred MiB of them. */

/** Smaller buffers may share memory with others (Node's pool), and are not worth it. */
const WORTH_IT = 128 * 1024;

/** Frees the memory behind `data`, which nobody may look at any more; other views of it become empty too. */
export function freeMemory(data: Uint8Array): void {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= WORTH_IT) {
    buffer.transfer(0);
  }
}
