/** What stands between plain bytes and stored ones besides compression: names for chunks, and sealing. */
import { hash } from 'node:crypto';
import { DIGEST_SIZE, PAGE_SIZE } from './format.ts';

/**
 * How chunks get their ids: from their bytes as a whole, as the first backups did, or from the digests of their pages,
 * which also tell which pages of a chunk have changed.
 */
export type ChunkIds = 'whole' | 'pages';

/** How one repository names and seals; see FORMAT.md#encryption. */
export interface Coding {
  /** Name of the key; undefined where nothing is encrypted. */
  readonly keyId: string | undefined;
  /** Bytes that sealing adds. */
  readonly overhead: number;
  readonly chunkIds: ChunkIds;
  /** The same for snapshots whose ids are made otherwise. */
  withChunkIds(chunkIds: ChunkIds): Coding;
  /** The id of what a list of page digests, or a whole chunk, hashes to: 32 bytes. */
  name(data: Uint8Array): Buffer;
  /** Stored form; `context` says what the data are, and must be told again to unseal. May return `data` itself. */
  seal(data: Uint8Array, context: string): Uint8Array;
  /** @throws Error when the data were altered, sealed with another key, or as something else */
  unseal(data: Uint8Array, context: string): Uint8Array;
  /** Proof that who knows the key wrote the data, in hex. */
  mac(data: Uint8Array): string;
}

/** Nothing is encrypted: ids are SHA-256, and data are stored as they are. */
class PlainCoding implements Coding {
  readonly keyId = undefined;
  readonly overhead = 0;
  readonly chunkIds: ChunkIds;

  constructor(chunkIds: ChunkIds) {
    this.chunkIds = chunkIds;
  }

  withChunkIds(chunkIds: ChunkIds): Coding {
    return chunkIds === 'pages' ? PLAIN_CODING : PLAIN_CODING_OF_WHOLE;
  }

  name(data: Uint8Array): Buffer {
    return hash('sha256', data, 'buffer');
  }

  seal(data: Uint8Array): Uint8Array {
    return data;
  }

  unseal(data: Uint8Array): Uint8Array {
    return data;
  }

  mac(): string {
    return '';
  }
}

export const PLAIN_CODING: Coding = new PlainCoding('pages');
const PLAIN_CODING_OF_WHOLE: Coding = new PlainCoding('whole');

/** The SHA-256 of each page of a chunk, one after the other. FORMAT.md#chunk-ids */
export function digestPages(data: Uint8Array): Buffer {
  const digests = Buffer.allocUnsafe(Math.ceil(data.length / PAGE_SIZE) * DIGEST_SIZE);
  for (let page = 0, at = 0; at < data.length; page += 1, at += PAGE_SIZE) {
    digests.set(hash('sha256', data.subarray(at, at + PAGE_SIZE), 'buffer'), page * DIGEST_SIZE);
  }
  return digests;
}

/** The id of a chunk, 32 bytes. */
export function chunkId(coding: Coding, data: Uint8Array): Buffer {
  return coding.name(coding.chunkIds === 'pages' ? digestPages(data) : data);
}

/** What is sealed, for `seal` and `unseal`. */
export const sealedAs = {
  chunk: (id: string): string => `chunk:${id}`,
  index: (object: string): string => `index:${object}`,
  footer: 'footer',
} as const;
