/** Multipart uploads in progress: a folder each, holding what was said at the start and the parts. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '#system';
import { S3Error } from '../protocol/s3-error.ts';
import { compareKeys } from './key-index.ts';
import { type ObjectRecord, readObjectRecord } from './object-file.ts';
import { ObjectReader } from './object-reader.ts';
import type { ObjectWriter } from './object-writer.ts';

export interface Upload {
  readonly id: string;
  readonly key: string;
  /** ISO 8601. */
  readonly initiatedAt: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly storageClass: string;
}

export interface Part extends ObjectRecord {
  readonly number: number;
}

const UPLOAD_ID = /^[\da-f]{32}$/;

/** The uploads of one bucket. */
export class UploadDirectory {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async create(upload: Omit<Upload, 'id'>): Promise<Upload> {
    const created = { id: randomBytes(16).toString('hex'), ...upload };
    mkdirSync(join(this.#directory, created.id), { recursive: true });
    await writeFileAtomic(this.#recordPath(created.id), JSON.stringify(created));
    return created;
  }

  /** @throws S3Error NoSuchUpload, also when the upload belongs to another key. */
  get(id: string, key: string): Upload {
    const upload = UPLOAD_ID.test(id) ? this.#read(id) : undefined;
    if (upload?.key !== key) {
      throw noSuchUpload(id);
    }
    return upload;
  }

  /** All uploads, ordered by key, then by start. */
  list(): Upload[] {
    return subfolders(this.#directory)
      .flatMap((id) => this.#read(id) ?? [])
      .toSorted(
        (left, right) =>
          compareKeys(left.key, right.key) ||
          compareKeys(left.initiatedAt + left.id, right.initiatedAt + right.id),
      );
  }

  /** Stores a part in place of an older one of that number. */
  async commitPart(writer: ObjectWriter, upload: Upload, number: number): Promise<void> {
    if (this.#read(upload.id) === undefined) {
      throw noSuchUpload(upload.id);
    }
    const path = this.#partPath(upload.id, number);
    writer.publish(path);
    await writer.settle(path);
  }

  /** The parts in order of their numbers. */
  parts(upload: Upload): Part[] {
    return readdirSync(join(this.#directory, upload.id))
      .flatMap((file) => {
        const number = Number(/^part-(\d+)$/.exec(file)?.[1] ?? Number.NaN);
        const record = Number.isNaN(number)
          ? undefined
          : readObjectRecord(this.#partPath(upload.id, number));
        return record === undefined ? [] : [{ ...record, number }];
      })
      .toSorted((left, right) => left.number - right.number);
  }

  /** The bytes of the parts, one after the other. */
  async *concatenate(upload: Upload, parts: readonly Part[]): AsyncGenerator<Buffer> {
    for (const part of parts) {
      using reader = new ObjectReader(this.#partPath(upload.id, part.number));
      yield* reader.range(0, part.size);
    }
  }

  remove(upload: Upload): void {
    rmSync(join(this.#directory, upload.id), { recursive: true, force: true });
  }

  #read(id: string): Upload | undefined {
    const path = this.#recordPath(id);
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Upload) : undefined;
  }

  #recordPath(id: string): string {
    return join(this.#directory, id, 'upload.json');
  }

  #partPath(id: string, number: number): string {
    return join(this.#directory, id, `part-${String(number).padStart(5, '0')}`);
  }
}

function subfolders(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function noSuchUpload(id: string): S3Error {
  return new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { fields: { UploadId: id } },
  );
}
