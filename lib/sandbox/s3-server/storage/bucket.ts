/** One bucket on disk: its objects, each in a file of its own named by a hash of the key. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { S3Error } from '../protocol/s3-error.ts';
import { removeFile } from './deferred-removal.ts';
import { KeyIndex } from './key-index.ts';
import { type ObjectRecord, readObjectRecord } from './object-file.ts';
import { ObjectReader } from './object-reader.ts';
import type { ObjectWriter } from './object-writer.ts';
import { UploadDirectory } from './uploads.ts';

export interface BucketOptions {
  readonly name: string;
  readonly createdAt: string;
  readonly directory: string;
  /** Told of files that hold no whole object; they are left where they are, and not listed. */
  readonly onDamaged: (path: string) => void;
}

/** What must hold of the object already there for a write to take place; throws an S3Error if not. */
export type WriteCondition = (existing: ObjectRecord | undefined) => void;

/** Objects by key. All changes happen in one step of the event loop, so readers see all or nothing. */
export class Bucket {
  readonly name: string;
  readonly createdAt: string;
  readonly uploads: UploadDirectory;
  readonly index: KeyIndex;
  readonly #objects: string;

  constructor(options: BucketOptions) {
    this.name = options.name;
    this.createdAt = options.createdAt;
    this.#objects = join(options.directory, 'objects');
    this.uploads = new UploadDirectory(join(options.directory, 'uploads'));
    this.index = new KeyIndex(readAll(this.#objects, options.onDamaged));
  }

  /** @throws S3Error NoSuchKey */
  get(key: string): ObjectRecord {
    const record = this.index.get(key);
    if (record === undefined) {
      throw new S3Error('NoSuchKey', 'The specified key does not exist.', { fields: { Key: key } });
    }
    return record;
  }

  /** Opens the body that belongs to the record `get` returns in the same step. */
  openBody(key: string): ObjectReader {
    return new ObjectReader(this.#pathOf(key));
  }

  /** Publishes a sealed body under its key, if the condition still holds in this very moment. */
  async commit(
    writer: ObjectWriter,
    record: ObjectRecord,
    condition: WriteCondition,
  ): Promise<void> {
    condition(this.index.get(record.key));
    const path = this.#pathOf(record.key);
    writer.publish(path);
    this.index.set(record);
    await writer.settle(path);
  }

  /** Deletes an object; none of that name is fine. */
  delete(key: string): void {
    if (this.index.get(key) !== undefined) {
      removeFile(this.#pathOf(key));
      this.index.delete(key);
    }
  }

  // A hash, because keys may be longer than file names, hold any character, and `a` must not be in
  // the way of `a/b`. Two levels keep directories small.
  #pathOf(key: string): string {
    const name = createHash('sha256').update(key).digest('hex');
    return join(this.#objects, name.slice(0, 2), name.slice(2));
  }
}

function* readAll(directory: string, onDamaged: (path: string) => void): Generator<ObjectRecord> {
  if (!existsSync(directory)) {
    return;
  }
  for (const folder of readdirSync(directory)) {
    for (const file of readdirSync(join(directory, folder))) {
      const path = join(directory, folder, file);
      const record = readObjectRecord(path);
      if (record === undefined) {
        onDamaged(path);
      } else {
        yield record;
      }
    }
  }
}
