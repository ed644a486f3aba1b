/** What stands between plain bytes and stored ones besides compression: names for chunks, and sealing. */
import { hash } from 'node:crypto';

/** How one repository names and seals; see FORMAT.md#encryption. */
export interface Coding {
  /** Name of the key; undefined where nothing is encrypted. */
  readonly keyId: string | undefined;
  /** Bytes that sealing adds. */
  readonly overhead: number;
  /** The id of a chunk, 32 bytes. */
  idOf(data: Uint8Array): Buffer;
  /** Stored form; `context` says what the data are, and must be told again to unseal. May return `data` itself. */
  seal(data: Uint8Array, context: string): Uint8Array;
  /** @throws Error when the data were altered, sealed with another key, or as something else */
  unseal(data: Uint8Array, context: string): Uint8Array;
  /** Proof that who knows the key wrote the data, in hex. */
  mac(data: Uint8Array): string;
}

/** Nothing is encrypted: ids are SHA-256, and data are stored as they are. */
export const PLAIN_CODING: Coding = {
  keyId: undefined,
  overhead: 0,
  idOf: (data) => hash('sha256', data, 'buffer'),
  seal: (data) => data,
  unseal: (data) => data,
  mac: () => '',
};

/** What is sealed, for `seal` and `unseal`. */
export const sealedAs = {
  chunk: (id: string): string => `chunk:${id}`,
  index: (object: string): string => `index:${object}`,
  footer: 'footer',
} as const;
