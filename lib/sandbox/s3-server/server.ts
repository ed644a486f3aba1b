/** The server as a whole: its listener, its data directory, its end. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { HintError, hasErrorCode, systemClock } from '#system';
import { lockDataDirectory } from './data-directory-lock.ts';
import { handleRequest, type RequestContext } from './handle-request.ts';
import type { S3ServerOptions } from './options.ts';
import { S3Error } from './protocol/s3-error.ts';
import type { Credentials } from './sigv4/authenticate.ts';
import { Store } from './storage/store.ts';

/** A running server. */
export interface S3Server extends AsyncDisposable {
  /** For example `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  readonly port: number;
  readonly accessKey: string;
  readonly secretKey: string;
  /**
   * Other keys from now on. The old ones are unknown then, or have expired where they were temporary.
   */
  replaceCredentials(credentials: Credentials): void;
  /** Lets requests under way end for a short while, then closes every connection. Idempotent. */
  close(): Promise<void>;
}

/** How long `close` waits for requests under way. */
const CLOSE_GRACE_MS = 2000;

/**
 * Starts an S3 server for development and tests: one user, files on disk.
 * @throws HintError port-taken, port-forbidden, host-not-available, data-directory-in-use, bucket-name-invalid
 */
export async function createS3Server(options: S3ServerOptions): Promise<S3Server> {
  const clock = options.clock ?? systemClock;
  const onWarning = options.onWarning ?? ignore;
  mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(await lockDataDirectory(options.directory));
  const store = new Store({
    directory: options.directory,
    fsync: options.fsync ?? false,
    onDamaged: (path) => onWarning(`not a whole object, left out: ${path}`),
  });
  await createBuckets(store, options.buckets ?? [], clock.now());
  const keys = new Keys(options);
  const listener = new Listener(options, {
    store,
    keys,
    domain: options.domain?.toLowerCase(),
    clock,
    region: options.region,
    faults: options.faults ?? (() => undefined),
    onRequest: options.onRequest ?? ignore,
    onWarning,
  });
  const port = await listener.listen();
  cleanup.defer(async () => await listener.close());
  const resources = cleanup.move();
  const close = async (): Promise<void> => await resources.disposeAsync();
  return {
    endpoint: `${options.tls === undefined ? 'http' : 'https'}://${hostOf(options)}:${port}`,
    port,
    accessKey: options.accessKey,
    secretKey: options.secretKey,
    replaceCredentials: (credentials) => keys.replace(credentials),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function createBuckets(store: Store, names: readonly string[], now: Date): Promise<void> {
  for (const name of names) {
    try {
      await store.createBucket(name, now);
    } catch (error) {
      if (!(error instanceof S3Error)) {
        throw error;
      }
      throw new HintError(`cannot create bucket "${name}": no valid name`, {
        code: 'bucket-name-invalid',
        hint: 'use 3 to 63 lower-case letters, digits, "-" and ".", with a letter or digit at both ends',
        cause: error,
      });
    }
  }
}

function ignore(): void {
  // Nobody asked to be told.
}

function hostOf(options: S3ServerOptions): string {
  const host = options.host ?? '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}

/** The keys of the one user, and which of the former ones were temporary. */
class Keys {
  readonly expired = new Set<string>();
  current: Credentials;

  constructor(credentials: Credentials) {
    this.current = credentials;
  }

  replace(credentials: Credentials): void {
    if (this.current.sessionToken !== undefined) {
      this.expired.add(this.current.accessKey);
    }
    this.expired.delete(credentials.accessKey);
    this.current = credentials;
  }
}

/** The listening socket and the requests under way on it. */
class Listener {
  readonly #server: Server;
  readonly #options: S3ServerOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: S3ServerOptions, context: RequestContext) {
    this.#options = options;
    this.#server = options.tls === undefined ? createHttpServer() : createHttpsServer(options.tls);
    // Uploads take as long as they take; a silent client is cut off by keepAliveTimeout.
    this.#server.requestTimeout = 0;
    this.#server.keepAliveTimeout = 60_000;
    for (const event of ['request', 'checkContinue'] as const) {
      this.#server.on(event, (request, response) => {
        const expectsContinue = event === 'checkContinue';
        const handled = handleRequest({ request, response, expectsContinue }, context);
        this.#underWay.add(handled);
        void handled.finally(() => this.#underWay.delete(handled));
      });
    }
  }

  async listen(): Promise<number> {
    const { host = '127.0.0.1', port = 0 } = this.#options;
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (error) {
      throw explainListenError(error, host, port);
    }
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
    const timer = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await Promise.allSettled(this.#underWay);
    this.#server.closeAllConnections();
    clearTimeout(timer);
    await closed;
  }
}

function explainListenError(error: unknown, host: string, port: number): unknown {
  if (hasErrorCode(error, 'EADDRINUSE')) {
    return new HintError(`cannot listen on ${host}:${port}: the port is taken`, {
      code: 'port-taken',
      hint: `choose another port, or 0 for any free one; "ss -ltnp sport = :${port}" tells who has it`,
      cause: error,
    });
  }
  if (hasErrorCode(error, 'EACCES')) {
    return new HintError(`cannot listen on ${host}:${port}: not allowed`, {
      code: 'port-forbidden',
      hint: 'ports below 1024 are for root; choose a port above, or 0 for any free one',
      cause: error,
    });
  }
  if (hasErrorCode(error, 'EADDRNOTAVAIL') || hasErrorCode(error, 'ENOTFOUND')) {
    return new HintError(`cannot listen on ${host}: no address of this machine`, {
      code: 'host-not-available',
      hint: 'choose 127.0.0.1, 0.0.0.0, or one of the addresses that "ip address" shows',
      cause: error,
    });
  }
  return error;
}
