/** The data directory of the server: its buckets, and room for bodies on their way in. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { writeFileAtomic } from '#system';
import { S3Error } from '../protocol/s3-error.ts';
import { Bucket } from './bucket.ts';
import { compareKeys } from './key-index.ts';
import { ObjectWriter } from './object-writer.ts';

export interface StoreOptions {
  readonly directory: string;
  /** Whether a success survives a power cut, not only a crash of the server. */
  readonly fsync: boolean;
  readonly onDamaged: (path: string) => void;
}

/** All buckets, loaded when the store is opened. */
export class Store {
  readonly #options: StoreOptions;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: StoreOptions) {
    this.#options = options;
    mkdirSync(this.#bucketsDirectory, { recursive: true, mode: 0o700 });
    // Bodies that were on their way when the server last ended.
    rmSync(this.#incomingDirectory, { recursive: true, force: true });
    mkdirSync(this.#incomingDirectory, { mode: 0o700 });
    for (const name of readdirSync(this.#bucketsDirectory)) {
      this.#load(name);
    }
  }

  buckets(): Bucket[] {
    return [...this.#buckets.values()].toSorted((left, right) =>
      compareKeys(left.name, right.name),
    );
  }

  /** @throws S3Error NoSuchBucket */
  bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', {
        fields: { BucketName: name },
      });
    }
    return bucket;
  }

  hasBucket(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** Creates a bucket; one that exists stays as it is. */
  async createBucket(name: string, createdAt: Date): Promise<void> {
    assertBucketName(name);
    if (this.#buckets.has(name)) {
      return;
    }
    mkdirSync(join(this.#bucketsDirectory, name), { recursive: true, mode: 0o700 });
    await writeFileAtomic(
      this.#recordPath(name),
      JSON.stringify({ createdAt: createdAt.toISOString() }),
    );
    this.#load(name);
  }

  /** @throws S3Error BucketNotEmpty */
  deleteBucket(name: string): void {
    const bucket = this.bucket(name);
    if (bucket.index.size > 0) {
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
        fields: { BucketName: name },
      });
    }
    this.#buckets.delete(name);
    // Out of sight in one step; what is slow, or cut off by a crash, is done out of sight.
    const removed = join(this.#incomingDirectory, `deleted-${name}-${Date.now()}`);
    renameSync(join(this.#bucketsDirectory, name), removed);
    rmSync(removed, { recursive: true, force: true });
  }

  /** Room for one body. */
  async receive(): Promise<ObjectWriter> {
    return await ObjectWriter.create(this.#incomingDirectory, this.#options);
  }

  get #bucketsDirectory(): string {
    return join(this.#options.directory, 'buckets');
  }

  get #incomingDirectory(): string {
    return join(this.#options.directory, 'incoming');
  }

  #recordPath(name: string): string {
    return join(this.#bucketsDirectory, name, 'bucket.json');
  }

  // A folder without its record is a creation that was cut off: not a bucket yet.
  #load(name: string): void {
    if (!existsSync(this.#recordPath(name)) || this.#buckets.has(name)) {
      return;
    }
    const record = JSON.parse(readFileSync(this.#recordPath(name), 'utf8')) as {
      createdAt: string;
    };
    const directory = join(this.#bucketsDirectory, name);
    const { onDamaged } = this.#options;
    this.#buckets.set(
      name,
      new Bucket({ name, createdAt: record.createdAt, directory, onDamaged }),
    );
  }
}

/** S3's rules of names, which also make them safe as names of folders. */
function assertBucketName(name: string): void {
  const isWellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name);
  if (!isWellFormed || name.includes('..') || isIP(name) !== 0) {
    throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', {
      fields: { BucketName: name },
    });
  }
}
