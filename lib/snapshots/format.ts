/** The constants of FORMAT.md and the shapes of what is stored. */
import { hash } from 'node:crypto';

export const FORMAT_VERSION = 1;
export const MANIFEST_FORMAT = 'juju-database-backup/snapshot';
export const STARTED_FORMAT = 'juju-database-backup/started';

export const MANIFEST_OBJECT = 'manifest.json';
export const STARTED_OBJECT = 'started.json';

/** Where this writer cuts: small enough for cheap increments, big enough for zstd and few index lines. */
export const CHUNK_SIZE = 256 * 1024;
/** The unit of databases: a changed one costs itself, not its chunk. */
export const PAGE_SIZE = 8 * 1024;
/** SHA-256. */
export const DIGEST_SIZE = 32;
/** So much of the digest of a page is kept with its chunk: 128 bits, which nobody finds a collision for. */
export const KEPT_DIGEST_SIZE = 16;
/** Smaller chunks are stored again as a whole when they change. */
export const MIN_PAGED_SIZE = 32 * 1024;
/** The largest chunk a reader must accept. */
export const MAX_CHUNK_SIZE = 16 * 1024 * 1024;
/** Requests cost CPU on both sides; packs of this size keep them rare, and fit memory several at a time. */
export const PACK_PAYLOAD_SIZE = 8 * 1024 * 1024;
export const MAX_PACK_CHUNKS = 16_384;
export const PACK_MAGIC = 'JDBPACK1';
export const TRAILER_SIZE = 48;
/** A footer bigger than this, decoded or not, is none of ours: page digests count as content of their pack. */
export const MAX_FOOTER_SIZE = PACK_PAYLOAD_SIZE + MAX_PACK_CHUNKS * 130;
/** Text of one index part; parts are compressed and kept in memory one at a time. */
export const INDEX_PART_SIZE = 4 * 1024 * 1024;

/** What a manifest may require of its reader. */
export const ENCRYPTED = 'aes-256-gcm';
export const PAGES = 'pages';

/** `pages`: those pages in which it differs from another chunk, its base. */
export type Encoding = 'raw' | 'zstd' | 'pages';

export function isEncoding(value: unknown): value is Encoding {
  return value === 'raw' || value === 'zstd' || value === 'pages';
}

/** A pack as an index names it. */
export interface PackName {
  readonly id: string;
  readonly size: number;
}

/** Where one chunk lies. */
export interface ChunkRef {
  readonly id: string;
  readonly size: number;
  readonly pack: PackName;
  readonly at: number;
  readonly stored: number;
  readonly as: Encoding;
  /** Where `as` is `pages`: the chunk they belong into, which is none of that kind. */
  readonly base?: ChunkRef;
}

/** All that is needed to have the chunk. */
export function withBase(chunk: ChunkRef): readonly ChunkRef[] {
  return chunk.base === undefined ? [chunk] : [chunk, chunk.base];
}

/** Key of a pack below the chunk prefix. */
export function packKey(chunkPrefix: string, id: string): string {
  return `${chunkPrefix}${id.slice(0, 2)}/${id}`;
}

export function isSha256(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text);
}

/** SHA-256 in hex, in one call. */
export function sha256(data: Uint8Array): string {
  return hash('sha256', data, 'hex');
}
