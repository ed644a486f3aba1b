/** Computes signatures from a secret key: one signer for each day, region and service. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { sha256Hex } from './canonical-request.ts';

export interface SigningScope {
  /** For example `20261121`. */
  readonly day: string;
  readonly region: string;
  /** For example `20261121T023629Z`. */
  readonly timestamp: string;
}

/** Signs strings in one scope; the chunks of a signed stream use it again. */
export class Signer {
  readonly #key: Buffer;
  readonly #scope: SigningScope;

  constructor(secretKey: string, scope: SigningScope) {
    this.#key = [scope.day, scope.region, 's3', 'aws4_request'].reduce<Buffer>(
      (key, part) => hmac(key, part),
      Buffer.from(`AWS4${secretKey}`),
    );
    this.#scope = scope;
  }

  /** The signature of a whole request. */
  signRequest(canonical: string): string {
    return this.#sign('AWS4-HMAC-SHA256', [sha256Hex(canonical)]);
  }

  /** The signature of one chunk of an aws-chunked body, which covers the one before it. */
  signChunk(previous: string, chunkHash: string): string {
    return this.#sign('AWS4-HMAC-SHA256-PAYLOAD', [previous, EMPTY_HASH, chunkHash]);
  }

  /** The signature of the trailing headers, which covers the last chunk. */
  signTrailer(previous: string, trailer: string): string {
    return this.#sign('AWS4-HMAC-SHA256-TRAILER', [previous, sha256Hex(trailer)]);
  }

  #sign(algorithm: string, lines: readonly string[]): string {
    const { day, region, timestamp } = this.#scope;
    const scope = `${day}/${region}/s3/aws4_request`;
    return hmac(this.#key, [algorithm, timestamp, scope, ...lines].join('\n')).toString('hex');
  }
}

/** Compares signatures in constant time. */
export function isSameSignature(left: string, right: string): boolean {
  const leftBytes = Buffer.from(left);
  const rightBytes = Buffer.from(right);
  return leftBytes.length === rightBytes.length && timingSafeEqual(leftBytes, rightBytes);
}

const EMPTY_HASH = sha256Hex('');

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
