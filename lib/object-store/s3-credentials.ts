/** Keys that may change while a store is in use: asked for, handed to the client, and asked for again when refused. */
import { type Clock, HintError } from '#system';
import { ObjectStoreError } from './errors.ts';

/** What requests are signed with. */
export interface S3Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Where the keys are temporary. */
  readonly sessionToken?: string | undefined;
}

/** Gives the keys that are valid now; asked before the first request, and whenever the server has refused the last ones. */
export type CredentialsSource = () => Promise<S3Credentials>;

export interface CredentialsPatience {
  /** Requests sent again for want of valid keys, each; 30 unless told (about 13 minutes of pauses). */
  readonly maxAttempts?: number;
  /** First pause, doubled each time; 1 s unless told. */
  readonly basePauseMs?: number;
  /** Longest pause; 30 s unless told. */
  readonly maxPauseMs?: number;
}

/** Asks only when it must, for all requests at once; remembers every key it has seen, so that none gets into a message. */
export class CredentialsKeeper {
  readonly #source: CredentialsSource | undefined;
  readonly #clock: Clock;
  readonly #patience: Required<CredentialsPatience>;
  readonly #known = new Set<string>();
  #current: S3Credentials | undefined;
  #asking: Promise<S3Credentials> | undefined;
  #generation = 0;
  /** The generation that the server took last; 0 while it took none. */
  #accepted = 0;

  /** Either `source`, or keys that never change. */
  constructor(
    keys: S3Credentials | CredentialsSource,
    options: { readonly clock: Clock; readonly patience?: CredentialsPatience | undefined },
  ) {
    this.#clock = options.clock;
    this.#patience = {
      maxAttempts: 30,
      basePauseMs: 1000,
      maxPauseMs: 30_000,
      ...options.patience,
    };
    if (typeof keys === 'function') {
      this.#source = keys;
    } else {
      this.#take(keys);
    }
  }

  get isFixed(): boolean {
    return this.#source === undefined;
  }

  /** Counts the keys there have been; tells which ones a request was made with. */
  get generation(): number {
    return this.#generation;
  }

  /** Keys and tokens, for redaction. */
  get secrets(): readonly string[] {
    return [...this.#known];
  }

  /** @throws ObjectStoreError `wrong-credentials` when the source has none */
  async current(): Promise<S3Credentials> {
    return this.#current ?? (await this.#ask());
  }

  /** The server took keys of this generation. */
  accepted(generation: number): void {
    this.#accepted = Math.max(this.#accepted, generation);
  }

  /**
   * After a request with keys of this generation was refused: asks for newer ones, and pauses while there are none.
   * @param refusal `expired`, or `unknown` keys, which are waited for only where the server has taken some before
   * @param attempts How often this request was refused so far
   * @returns whether to send it again
   */
  async renewed(
    generation: number,
    refusal: 'expired' | 'unknown',
    attempts: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { maxAttempts, basePauseMs, maxPauseMs } = this.#patience;
    const isUntried = this.#accepted === 0;
    if (this.isFixed || attempts > (isUntried ? 1 : maxAttempts)) {
      return false;
    }
    if (isUntried && refusal === 'unknown') {
      return false;
    }
    if (generation === this.#generation) {
      // What goes wrong here goes wrong again, or not, after the pause.
      await this.#ask().catch(() => undefined);
    }
    const isNewer = this.#generation > generation;
    if (isUntried || (isNewer && generation === this.#accepted)) {
      return isNewer;
    }
    // The newest keys may need a moment to reach the server: after the pause they are tried again as well.
    await this.#clock.sleep(Math.min(maxPauseMs, basePauseMs * 2 ** (attempts - 1)), signal);
    return true;
  }

  async #ask(): Promise<S3Credentials> {
    this.#asking ??= this.#askOnce().finally(() => {
      this.#asking = undefined;
    });
    return await this.#asking;
  }

  async #askOnce(): Promise<S3Credentials> {
    try {
      const keys = (await this.#source?.()) ?? this.#current;
      if (keys === undefined || keys.accessKey === '' || keys.secretKey === '') {
        throw new Error('the source of the credentials has none');
      }
      this.#take(keys);
      return keys;
    } catch (error) {
      throw sourceFailure(error, this.secrets);
    }
  }

  #take(keys: S3Credentials): void {
    const { accessKey, secretKey, sessionToken } = keys;
    const last = this.#current;
    const isSame =
      last?.accessKey === accessKey &&
      last.secretKey === secretKey &&
      last.sessionToken === sessionToken;
    if (!isSame) {
      this.#current = { accessKey, secretKey, sessionToken };
      this.#generation += 1;
      for (const secret of [secretKey, accessKey, sessionToken ?? '']) {
        this.#known.add(secret);
      }
    }
  }
}

function sourceFailure(error: unknown, secrets: readonly string[]): ObjectStoreError {
  const reason = redactSecrets(Error.isError(error) ? error.message : String(error), secrets);
  const hint = error instanceof HintError ? error.hint : undefined;
  return new ObjectStoreError(`cannot get the storage credentials: ${reason}`, {
    code: 'wrong-credentials',
    hint: hint ?? 'check that the credentials of the storage are still granted to this application',
  });
}

/** Keys have no business in a log; very short ones would make a message unreadable instead. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .toSorted((left, right) => right.length - left.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}
