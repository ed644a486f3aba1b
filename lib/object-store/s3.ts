/** The S3 store. */
import type { ObjectStore } from './object-store.ts';
import type { S3Options } from './s3-options.ts';

export interface S3ObjectStore extends ObjectStore {
  /** Closes idle connections. */
  close(): void;
}

/** Signature first; the body follows. */
export function createS3ObjectStore(options: S3Options): S3ObjectStore {
  throw new Error(`not yet: ${options.bucket}`);
}
