/** Faults on demand: how a test makes the server misbehave for chosen requests. */

/** What a fault is chosen by, known before the signature is checked. */
export interface FaultRequest {
  /** S3's name of the operation, such as `PutObject`. */
  readonly operation: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
}

export type Fault =
  /** Answer this instead of doing anything, for example 503 with `SlowDown`. */
  | { readonly kind: 'status'; readonly status: number; readonly code?: string }
  /** Close the connection instead of doing anything. */
  | { readonly kind: 'reset' }
  /** Do it, but begin only after so long. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Do it, but begin only when this has come true; not at all when the client has gone by then. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  /** Do it, and close the connection instead of confirming it. */
  | { readonly kind: 'lose-answer' }
  /** Do it, and confirm it with another entity tag. */
  | { readonly kind: 'etag'; readonly value: string }
  /** Leave these keys out of a listing, as stores that are not consistent do. */
  | { readonly kind: 'hide'; readonly isHidden: (key: string) => boolean }
  /** Send so many bytes of an object's body, then close the connection. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** Flip a bit of the byte at this offset of an object's body. */
  | { readonly kind: 'corrupt'; readonly offset: number };

/** Chooses the fault of a request; undefined lets it pass. */
export type Faults = (request: FaultRequest) => Fault | undefined;

/** Thrown within the handling of a request that shall end without an answer. */
export class ConnectionReset extends Error {
  constructor() {
    super('the connection was reset on purpose');
    this.name = 'ConnectionReset';
  }
}

/** An object's body as the fault lets it through. */
export async function* withBodyFault(
  chunks: AsyncIterable<Buffer>,
  fault: Fault | undefined,
): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of chunks) {
    if (fault?.kind === 'truncate' && position + chunk.length >= fault.afterBytes) {
      yield chunk.subarray(0, fault.afterBytes - position);
      throw new ConnectionReset();
    }
    yield fault?.kind === 'corrupt' ? corrupted(chunk, fault.offset - position) : chunk;
    position += chunk.length;
  }
}

function corrupted(chunk: Buffer, index: number): Buffer {
  const byte = chunk[index];
  if (byte !== undefined) {
    chunk[index] = byte ^ 1;
  }
  return chunk;
}
