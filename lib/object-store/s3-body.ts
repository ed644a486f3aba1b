/** Reads the body of an answer into one buffer, and gives up when it stalls. */
import type { Readable } from 'node:stream';

export interface ReadBodyOptions {
  /** Longest pause between two pieces. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The whole body; shorter than `length` when the connection broke off cleanly. */
export async function readBody(
  body: Readable,
  length: number | undefined,
  options: ReadBodyOptions,
): Promise<Uint8Array> {
  const target = Buffer.allocUnsafeSlow(length ?? 0);
  const overflow: Buffer[] = [];
  let filled = 0;
  const stalled = Object.assign(new Error('the answer stalled'), { name: 'TimeoutError' });
  const watchdog = setTimeout(() => body.destroy(stalled), options.idleMs);
  const onAbort = (): void => {
    body.destroy();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      watchdog.refresh();
      if (filled + piece.length <= target.length) {
        piece.copy(target, filled);
        filled += piece.length;
      } else {
        overflow.push(piece);
      }
    }
  } finally {
    clearTimeout(watchdog);
    options.signal?.removeEventListener('abort', onAbort);
  }
  options.signal?.throwIfAborted();
  return overflow.length === 0
    ? target.subarray(0, filled)
    : Buffer.concat([target.subarray(0, filled), ...overflow]);
}
