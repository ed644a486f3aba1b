/**
 * Builds the AWS SDK's client, which is loaded only when first needed, as are Node's own clients: together
 * they cost a charm 60 ms of start.
 */
import type * as Tls from 'node:tls';
import type * as Sdk from '@aws-sdk/client-s3';
import type { CredentialsKeeper } from './s3-credentials.ts';
import type { S3Options } from './s3-options.ts';
import { type Environment, proxyFor, withoutCredentials } from './s3-proxy.ts';

export interface S3Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  /** URL of the proxy in between, without its credentials. */
  readonly proxy?: string | undefined;
}

/** Servers other than AWS rarely care for the region; this is the one they all accept. */
const DEFAULT_REGION = 'us-east-1';

/** Enough for four uploads or downloads at a time and some small requests beside them. */
const MAX_SOCKETS = 16;

export interface S3Timeouts {
  readonly connectMs: number;
  /** Longest silence on a connection in use. */
  readonly idleMs: number;
}

export interface ConnectOptions {
  readonly options: S3Options;
  readonly timeouts: S3Timeouts;
  readonly credentials: CredentialsKeeper;
  /** Where proxies are looked for; that of the process unless told. */
  readonly environment?: Environment | undefined;
  /** Everybody unless told. */
  readonly trust?: Trust | undefined;
}

/**
 * Whose certificates are believed. `named`: the chain of the settings, or, without one, what Node trusts. `all`: these,
 * and what Node and the machine trust; reading hundreds of certificates takes longer than many a job.
 */
export type Trust = 'named' | 'all';

/**
 * Loads the SDK and makes a client that neither retries nor adds checksums of its own.
 * @throws ObjectStoreError `invalid-configuration` for a proxy that cannot be used
 */
export async function connectS3(connect: ConnectOptions): Promise<S3Connection> {
  const { options, timeouts, credentials } = connect;
  const proxy = proxyFor(options, connect.environment ?? process.env);
  const [sdk, { NodeHttpHandler }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('@smithy/node-http-handler'),
  ]);
  // Not by import(), which reads every export of node:http, and with some of them loads all of fetch.
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const agent = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    scheduling: 'lifo' as const,
    ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
  };
  const client = new sdk.S3Client({
    region: options.region ?? DEFAULT_REGION,
    credentials: async () => await identityOf(credentials),
    forcePathStyle: (options.uriStyle ?? (options.endpoint ? 'path' : 'host')) === 'path',
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    // Repeating is the business of withRetries, which also knows about lost answers.
    maxAttempts: 1,
    followRegionRedirects: false,
    // Our own SHA-256 says more, and several servers refuse the SDK's trailers (Ceph RGW 16: 411).
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // With it the SDK opens a new connection for each upload.
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: timeouts.connectMs,
      socketTimeout: timeouts.idleMs,
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
      httpAgent: new http.Agent(agent),
      httpsAgent: new https.Agent({ ...agent, ...trusting(connect) }),
    }),
  });
  return { sdk, client, ...(proxy === undefined ? {} : { proxy: withoutCredentials(proxy) }) };
}

interface Identity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** The keys as the SDK wants them. */
async function identityOf(credentials: CredentialsKeeper): Promise<Identity> {
  const { accessKey, secretKey, sessionToken } = await credentials.current();
  return {
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    // Makes the SDK ask for each request; whether they have really expired the server knows best.
    ...(credentials.isFixed ? {} : { expiration: new Date(0) }),
  };
}

/** One context for all connections: making one anew for each takes milliseconds. */
function trusting({ options, trust = 'all' }: ConnectOptions): {
  secureContext?: Tls.SecureContext;
} {
  if (options.endpoint?.startsWith('http:') === true) {
    return {};
  }
  const tls = process.getBuiltinModule('node:tls');
  const { tlsCaChain } = options;
  const ca =
    trust === 'named'
      ? tlsCaChain && [...tlsCaChain]
      : [
          ...new Set([
            ...tls.getCACertificates('default'),
            ...tls.getCACertificates('system'),
            ...(tlsCaChain ?? []),
          ]),
        ];
  return { secureContext: tls.createSecureContext(ca === undefined ? {} : { ca }) };
}
