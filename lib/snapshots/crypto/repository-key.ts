/** The key of a repository: what names its chunks and seals what is stored. FORMAT.md#encryption */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  randomFillSync,
} from 'node:crypto';
import type { ChunkIds, Coding } from '../coding.ts';

/** A key that encrypts; its secret stays inside, but for the recovery kit. */
export interface RepositoryKey extends Coding {
  readonly keyId: string;
  withChunkIds(chunkIds: ChunkIds): RepositoryKey;
  /** The 32 bytes everything is derived from. */
  exportSecret(): Buffer;
}

const CIPHER = 'aes-256-gcm';
export const SECRET_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** A key nobody had before. */
export function newRepositoryKey(): RepositoryKey {
  return new DerivedKey(randomBytes(SECRET_LENGTH));
}

/** The key made of these 32 bytes. */
export function repositoryKeyFrom(secret: Uint8Array): RepositoryKey {
  return new DerivedKey(Buffer.from(secret));
}

/** What to rebuild a coding from elsewhere; undefined where nothing is encrypted. */
export function secretOf(coding: Coding): Buffer | undefined {
  return coding instanceof DerivedKey ? coding.exportSecret() : undefined;
}

class DerivedKey implements RepositoryKey {
  readonly keyId: string;
  readonly overhead = NONCE_LENGTH + TAG_LENGTH;
  readonly #secret: Buffer;
  readonly #chunkIds: Buffer;
  readonly #content: Buffer;
  readonly #manifests: Buffer;
  readonly chunkIds: ChunkIds;

  constructor(secret: Buffer, chunkIds: ChunkIds = 'pages') {
    this.#secret = secret;
    this.chunkIds = chunkIds;
    this.#chunkIds = derive(secret, 'chunk-ids', 32);
    this.#content = derive(secret, 'content', 32);
    this.#manifests = derive(secret, 'manifests', 32);
    this.keyId = derive(secret, 'key-id', 8).toString('hex');
  }

  withChunkIds(chunkIds: ChunkIds): RepositoryKey {
    return chunkIds === this.chunkIds ? this : new DerivedKey(this.#secret, chunkIds);
  }

  name(data: Uint8Array): Buffer {
    return createHmac('sha256', this.#chunkIds).update(data).digest();
  }

  // Nonces are random: the same chunk may be compressed differently by another version of zstd, and two
  // different texts under one nonce would give the key of GCM's checksum away.
  seal(data: Uint8Array, context: string): Uint8Array {
    const sealed = Buffer.allocUnsafeSlow(NONCE_LENGTH + data.length + TAG_LENGTH);
    const nonce = sealed.subarray(0, NONCE_LENGTH);
    randomFillSync(nonce);
    const cipher = createCipheriv(CIPHER, this.#content, nonce);
    cipher.setAAD(Buffer.from(context));
    cipher.update(data).copy(sealed, NONCE_LENGTH);
    cipher.final();
    cipher.getAuthTag().copy(sealed, NONCE_LENGTH + data.length);
    return sealed;
  }

  unseal(data: Uint8Array, context: string): Uint8Array {
    return open(this.#content, data, context);
  }

  mac(data: Uint8Array): string {
    return createHmac('sha256', this.#manifests).update(data).digest('hex');
  }

  exportSecret(): Buffer {
    return Buffer.from(this.#secret);
  }
}

/** Seals a secret with another one. */
export function wrap(secret: Uint8Array, wrappingKey: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(NONCE_LENGTH);
  const cipher = createCipheriv(CIPHER, wrappingKey, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when the wrapping key is another one */
export function unwrap(wrapped: Uint8Array, wrappingKey: Uint8Array, context: string): Uint8Array {
  return open(wrappingKey, wrapped, context);
}

function open(key: Uint8Array, data: Uint8Array, context: string): Uint8Array {
  if (data.length < NONCE_LENGTH + TAG_LENGTH) {
    throw new Error('too short to be sealed');
  }
  const tagAt = data.length - TAG_LENGTH;
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_LENGTH), {
    authTagLength: TAG_LENGTH,
  });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(data.subarray(tagAt));
  const plain = decipher.update(data.subarray(NONCE_LENGTH, tagAt));
  decipher.final();
  return plain;
}

function derive(secret: Buffer, purpose: string, length: number): Buffer {
  const info = `juju-database-backup/v1/${purpose}`;
  return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), info, length));
}
