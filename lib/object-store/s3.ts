/** Objects in an S3 bucket (AWS, Ceph RGW, MinIO…). One request a call; see s3-errors.ts and with-retries.ts. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Clock, systemClock } from '#system';
import { invalidRangeError, isObjectStoreError, ObjectStoreError, quoteKey } from './errors.ts';
import { assertKey } from './keys.ts';
import type {
  ByteRange,
  FolderItem,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  OperationOptions,
  PutOptions,
} from './object-store.ts';
import { isUnsupported, statusOf } from './s3-answers.ts';
import { readBody } from './s3-body.ts';
import type { S3Timeouts } from './s3-client.ts';
import {
  CredentialsKeeper,
  type CredentialsPatience,
  type CredentialsSource,
} from './s3-credentials.ts';
import { describeS3 } from './s3-errors.ts';
import type { S3Options } from './s3-options.ts';
import type { Environment } from './s3-proxy.ts';
import { S3Outcome, S3Session, type S3Work } from './s3-session.ts';
import { sweepUploads } from './s3-uploads.ts';
import { signPayload } from './sign-payload.ts';
import { type RetryOptions, withRetries } from './with-retries.ts';

export interface S3ObjectStore extends ObjectStore {
  /**
   * Aborts multipart uploads below the prefix that began before `olderThan` and were never ended: by a probe that was
   * killed, or by other programs. This store makes none itself.
   * @returns how many went
   */
  sweepUploads(prefix: string, olderThan: Date, options?: OperationOptions): Promise<number>;
  /** Closes idle connections, so that a process can end. */
  close(): void;
}

/** S3 deletes at most so many objects in one request. */
const DELETE_BATCH = 1000;

/** Where the server knows only single deletes. */
const DELETE_AT_ONCE = 8;

const TIMEOUTS: S3Timeouts = { connectMs: 10_000, idleMs: 30_000 };

/** What tests and long-running jobs set; every field has a sensible default. */
export interface S3Tuning {
  /** Instead of the keys in the options, which are not used then. */
  readonly credentials?: CredentialsSource | undefined;
  /** How long refused keys are put up with where `credentials` gives newer ones. */
  readonly patience?: CredentialsPatience;
  readonly retries?: RetryOptions;
  readonly timeouts?: Partial<S3Timeouts>;
  /** Where proxies are looked for (see s3-proxy.ts); that of the process unless told. */
  readonly environment?: Environment;
  readonly clock?: Clock;
}

/**
 * A store in one bucket; transient failures are repeated. The AWS SDK is loaded by the first call.
 * Nothing is checked here: see `checkStorage`.
 */
export function createS3ObjectStore(options: S3Options, tuning: S3Tuning = {}): S3ObjectStore {
  const timeouts = { ...TIMEOUTS, ...tuning.timeouts };
  const { clock = systemClock, patience } = tuning;
  const credentials = new CredentialsKeeper(tuning.credentials ?? options, { clock, patience });
  const session = new S3Session({
    options,
    timeouts,
    credentials,
    environment: tuning.environment,
  });
  const bare = new BareS3Store(options, session, timeouts.idleMs);
  return Object.assign(withRetries(bare, { clock, ...tuning.retries }), {
    sweepUploads: async (prefix: string, olderThan: Date, more: OperationOptions = {}) =>
      await sweepUploads(session, options.bucket, { prefix, olderThan, ...more }),
    close: () => session.close(),
  });
}

class BareS3Store implements ObjectStore {
  readonly description: string;
  readonly #options: S3Options;
  readonly #session: S3Session;
  readonly #idleMs: number;
  /** Until the server says that it cannot. */
  #deletesBatches = true;
  /** Buckets that lock objects by default may ask for it, although the signature says more. */
  #sendsMd5 = false;

  constructor(options: S3Options, session: S3Session, idleMs: number) {
    this.#options = options;
    this.#session = session;
    this.#idleMs = idleMs;
    this.description = describeS3(options);
  }

  async get(key: string, options: OperationOptions = {}): Promise<Uint8Array> {
    return await this.#request('read', key, options, async ({ sdk, client }, send) => {
      const answer = await client.send(new sdk.GetObjectCommand(this.#object(key)), send);
      return await this.#body(key, answer, options);
    });
  }

  async getRange(
    key: string,
    range: ByteRange,
    options: OperationOptions = {},
  ): Promise<Uint8Array> {
    if (range.length === 0) {
      return new Uint8Array(0);
    }
    const Range = `bytes=${range.offset}-${range.offset + range.length - 1}`;
    return await this.#request('read', key, options, async ({ sdk, client }, send) => {
      const command = new sdk.GetObjectCommand({ ...this.#object(key), Range });
      const answer = await client.send(command, send).catch((error: unknown) => {
        throw isStatus(error, 416) ? invalidRangeError(this.description, key, range) : error;
      });
      if (answer.ContentLength !== range.length) {
        (answer.Body as Readable | undefined)?.destroy();
        throw invalidRangeError(this.description, key, range);
      }
      return await this.#body(key, answer, options);
    });
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    await this.#put(key, data, options, {});
  }

  async putIfAbsent(
    key: string,
    data: Uint8Array,
    options: PutOptions = {},
  ): Promise<'created' | 'exists'> {
    try {
      await this.#put(key, data, options, { IfNoneMatch: '*' });
      return 'created';
    } catch (error) {
      if (error instanceof AlreadyExists) {
        return 'exists';
      }
      if (!(error instanceof ConditionUnsupported)) {
        throw error;
      }
    }
    // Without conditional writes the best there is: job ids make the key unique in the first place.
    if ((await this.head(key, options)) !== undefined) {
      return 'exists';
    }
    await this.put(key, data, options);
    return 'created';
  }

  async head(
    key: string,
    options: OperationOptions = {},
  ): Promise<{ readonly size: number } | undefined> {
    return await this.#request('look up', key, options, async ({ sdk, client }, send) => {
      try {
        const answer = await client.send(new sdk.HeadObjectCommand(this.#object(key)), send);
        return { size: answer.ContentLength ?? 0 };
      } catch (error) {
        if (isStatus(error, 404)) {
          return undefined;
        }
        if (!hasEmptyBody(error)) {
          throw error;
        }
      }
      // An answer to HEAD has no body, hence no reason; GET tells it.
      const answer = await client.send(
        new sdk.GetObjectCommand({ ...this.#object(key), Range: 'bytes=0-0' }),
        send,
      );
      (answer.Body as Readable | undefined)?.destroy();
      return { size: Number(answer.ContentRange?.split('/')[1] ?? answer.ContentLength ?? 0) };
    });
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    for await (const page of this.#pages(prefix, undefined, options)) {
      yield* page.objects;
    }
  }

  async *listFolder(prefix: string, options: OperationOptions = {}): AsyncIterable<FolderItem> {
    for await (const page of this.#pages(prefix, '/', options)) {
      yield* page.folders.map((folder) => ({ kind: 'folder' as const, prefix: folder }));
      yield* page.objects.map((object) => ({ kind: 'object' as const, ...object }));
    }
  }

  async delete(keys: readonly string[], options: OperationOptions = {}): Promise<void> {
    let kept: ObjectStoreError | undefined;
    for (let start = 0; start < keys.length; start += DELETE_BATCH) {
      const some = keys.slice(start, start + DELETE_BATCH);
      kept = (await this.#deleteSome(some, options).then(() => undefined, asRetained)) ?? kept;
    }
    if (kept !== undefined) {
      throw kept;
    }
  }

  async #put(
    key: string,
    data: Uint8Array,
    options: PutOptions,
    condition: { readonly IfNoneMatch?: '*' },
  ): Promise<void> {
    assertKey(key);
    try {
      await this.#putOnce(key, data, options, condition);
    } catch (error) {
      if (this.#sendsMd5 || !(error instanceof Md5Required)) {
        throw error;
      }
      this.#sendsMd5 = true;
      await this.#putOnce(key, data, options, condition);
    }
  }

  async #putOnce(
    key: string,
    data: Uint8Array,
    options: PutOptions,
    condition: { readonly IfNoneMatch?: '*' },
  ): Promise<void> {
    const sha256 = options.sha256 ?? createHash('sha256').update(data).digest('hex');
    await this.#request('write', key, options, async ({ sdk, client }, send) => {
      const command = new sdk.PutObjectCommand({
        ...this.#object(key),
        ...condition,
        // A view of the same bytes: the SDK streams anything that is not a Buffer or Uint8Array.
        Body: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        ContentLength: data.byteLength,
        ...(this.#sendsMd5 ? { ContentMD5: createHash('md5').update(data).digest('base64') } : {}),
        ...(this.#options.storageClass === undefined
          ? {}
          : { StorageClass: this.#options.storageClass as NonNullable<unknown> & 'STANDARD' }),
      });
      signPayload(command, sha256);
      await client.send(command, send).catch((error: unknown) => {
        throw putOutcome(error, condition.IfNoneMatch !== undefined, this.#sendsMd5);
      });
    });
  }

  async #deleteSome(keys: readonly string[], options: OperationOptions): Promise<void> {
    if (this.#deletesBatches && (await this.#deleteBatch(keys, options))) {
      return;
    }
    this.#deletesBatches = false;
    let kept: ObjectStoreError | undefined;
    for (let start = 0; start < keys.length; start += DELETE_AT_ONCE) {
      const some = keys.slice(start, start + DELETE_AT_ONCE);
      const deletions = some.map(async (key) => await this.#deleteOne(key, options));
      for (const outcome of await Promise.allSettled(deletions)) {
        kept ??= outcome.status === 'rejected' ? asRetained(outcome.reason) : undefined;
      }
    }
    if (kept !== undefined) {
      throw kept;
    }
  }

  async #deleteOne(key: string, options: OperationOptions): Promise<void> {
    await this.#request('delete', key, options, async ({ sdk, client }, send) => {
      await client.send(new sdk.DeleteObjectCommand(this.#object(key)), send);
    });
  }

  /** @returns false when the server does not know such requests */
  async #deleteBatch(keys: readonly string[], options: OperationOptions): Promise<boolean> {
    return await this.#request('delete', keys[0] ?? '', options, async ({ sdk, client }, send) => {
      const Objects = keys.map((Key) => ({ Key }));
      const Delete = { Objects, Quiet: true };
      const command = new sdk.DeleteObjectsCommand({ Bucket: this.#options.bucket, Delete });
      const answer = await client.send(command, send).catch((error: unknown) => {
        if (isUnsupported(error)) {
          return undefined;
        }
        throw error;
      });
      const failed = answer?.Errors?.find((error) => error.Code !== 'NoSuchKey');
      if (failed !== undefined) {
        throw Object.assign(new Error(failed.Message ?? 'refused'), { name: failed.Code ?? '' });
      }
      return answer !== undefined;
    });
  }

  async *#pages(
    prefix: string,
    delimiter: string | undefined,
    options: ListOptions,
  ): AsyncIterable<{ objects: ObjectInfo[]; folders: string[] }> {
    let token: string | undefined;
    do {
      const answer = await this.#request('list', prefix, options, async ({ sdk, client }, send) => {
        const command = new sdk.ListObjectsV2Command({
          Bucket: this.#options.bucket,
          Prefix: prefix,
          Delimiter: delimiter,
          ContinuationToken: token,
          StartAfter: token === undefined ? options.startAfter : undefined,
        });
        return await client.send(command, send);
      });
      yield {
        objects: (answer.Contents ?? []).map((object) => ({
          key: object.Key ?? '',
          size: object.Size ?? 0,
          modifiedAt: object.LastModified ?? new Date(0),
        })),
        folders: (answer.CommonPrefixes ?? []).map((folder) => folder.Prefix ?? ''),
      };
      token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#options.bucket, Key: key };
  }

  async #body(
    key: string,
    answer: { readonly Body?: unknown; readonly ContentLength?: number | undefined },
    options: OperationOptions,
  ): Promise<Uint8Array> {
    const data = await readBody(answer.Body as Readable, answer.ContentLength, {
      idleMs: this.#idleMs,
      signal: options.signal,
    });
    if (answer.ContentLength !== undefined && data.length !== answer.ContentLength) {
      throw new ObjectStoreError(
        `cannot read ${quoteKey(key)} in ${this.description}: the answer broke off after ${data.length} of ${answer.ContentLength} bytes`,
        { code: 'unavailable', key, transient: true, unanswered: true },
      );
    }
    return data;
  }

  async #request<T>(
    verb: string,
    key: string,
    options: OperationOptions,
    work: S3Work<T>,
  ): Promise<T> {
    return await this.#session.request({ verb, key, signal: options.signal }, work);
  }
}

class AlreadyExists extends S3Outcome {}
class ConditionUnsupported extends S3Outcome {}
class Md5Required extends S3Outcome {}

function putOutcome(error: unknown, isConditional: boolean, sendsMd5: boolean): unknown {
  const asksForMd5 = Error.isError(error) && /Content-MD5/i.test(`${error.name} ${error.message}`);
  if (!sendsMd5 && asksForMd5) {
    return new Md5Required();
  }
  return isConditional ? conditionalOutcome(error) : error;
}

/** 412: it exists. 501: the server has no conditional writes. 409, a race, is for a retry to settle. */
function conditionalOutcome(error: unknown): unknown {
  if (isStatus(error, 412)) {
    return new AlreadyExists();
  }
  return isStatus(error, 501) ? new ConditionUnsupported() : error;
}

/** An object under retention keeps no other from being deleted. @throws any other failure */
function asRetained(error: unknown): ObjectStoreError {
  if (isObjectStoreError(error, 'retained')) {
    return error;
  }
  throw error;
}

function isStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status;
}

function hasEmptyBody(error: unknown): boolean {
  return [400, 403, 301].includes(statusOf(error) ?? 0);
}
