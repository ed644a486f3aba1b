/** One connection to one bucket: loads the client once, renews keys that expire, and puts failures into words. */
import { isObjectStoreError } from './errors.ts';
import { refusalOfKeys } from './s3-answers.ts';
import { type ConnectOptions, connectS3, type S3Connection, type Trust } from './s3-client.ts';
import { isUntrusted, translateS3Error } from './s3-errors.ts';

/** What a request is for, as messages name it. */
export interface S3Purpose {
  readonly verb: string;
  readonly key: string;
  /** What it needs, in the words of AWS; known from the verb unless told. */
  readonly permission?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Sends what has to be sent; called again when the keys had to be renewed. */
export type S3Work<T> = (
  connection: S3Connection,
  send: { abortSignal?: AbortSignal },
) => Promise<T>;

/** Thrown by `S3Work` for an answer that is no failure: it gets through untranslated. */
export class S3Outcome extends Error {}

export class S3Session {
  readonly #options: ConnectOptions;
  /** Verbs of requests that went well. */
  readonly #allowed = new Set<string>();
  #connection: Promise<S3Connection> | undefined;
  #trust: Trust = 'named';

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  /** @throws ObjectStoreError, S3Outcome, or the reason of the aborted signal */
  async request<T>(purpose: S3Purpose, work: S3Work<T>): Promise<T> {
    const { signal } = purpose;
    const { credentials } = this.#options;
    const send = signal === undefined ? {} : { abortSignal: signal };
    for (let attempts = 1; ; attempts += 1) {
      signal?.throwIfAborted();
      let generation = 0;
      const connection = this.#connect();
      try {
        await credentials.current();
        ({ generation } = credentials);
        const result = await work(await connection, send);
        credentials.accepted(generation);
        this.#allowed.add(purpose.verb);
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        if (isUntrusted(error) && this.#trustAll(connection)) {
          continue;
        }
        const refusal = refusalOfKeys(error);
        const again =
          refusal !== undefined &&
          (await credentials.renewed(generation, refusal, attempts, signal));
        if (!again) {
          throw await this.#explain(error, purpose);
        }
      }
    }
  }

  #connect(): Promise<S3Connection> {
    this.#connection ??= connectS3({ ...this.#options, trust: this.#trust });
    return this.#connection;
  }

  /** @returns whether those who were refused on this connection should try again on another one */
  #trustAll(refused: Promise<S3Connection>): boolean {
    if (refused === this.#connection && this.#trust === 'named') {
      this.#trust = 'all';
      this.#connection = undefined;
    }
    return refused !== this.#connection;
  }

  /** Closes idle connections. */
  close(): void {
    void this.#connection?.then(({ client }) => client.destroy()).catch(() => undefined);
  }

  async #explain(error: unknown, { verb, key, permission }: S3Purpose): Promise<unknown> {
    if (isObjectStoreError(error) || error instanceof S3Outcome) {
      return error;
    }
    const { options, credentials } = this.#options;
    const { proxy } = (await this.#connection) ?? {};
    return await translateS3Error(error, {
      verb,
      key,
      permission,
      options,
      secrets: credentials.secrets,
      proxy,
      wasAllowed: this.#allowed.has(verb),
    });
  }
}
