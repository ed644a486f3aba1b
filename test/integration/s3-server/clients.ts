/** What the tests of the S3 server share: servers, SDK clients, and how an answer is told apart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { createS3Server, type S3Server, type S3ServerOptions } from '#sandbox';

export interface Endpoint {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface TestServer extends AsyncDisposable {
  readonly server: S3Server;
  readonly directory: string;
}

/** A server in this process, its data gone with it; `bucket` exists. */
export async function startServer(options: Partial<S3ServerOptions> = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 's3-server-'));
  const server = await createS3Server({
    directory,
    accessKey: 'ACCESS',
    secretKey: 'secret',
    buckets: ['bucket'],
    ...options,
  });
  return {
    server,
    directory,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

// The SDK warns on the console of uploads that fail, which some tests are about.
const ignore = (): void => undefined;
const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** A client that tries once, so that tests see what the server said. */
export function clientFor(
  { endpoint, accessKey, secretKey }: Endpoint,
  config: S3ClientConfig = {},
): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    logger: silent,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    ...config,
  });
}

/** A client that trusts only this certificate. */
export function tlsClientFor(
  target: Endpoint,
  caPem: string,
  config: S3ClientConfig = {},
): S3Client {
  const requestHandler = new NodeHttpHandler({
    httpsAgent: new Agent({ ca: caPem, keepAlive: true }),
  });
  return clientFor(target, { requestHandler, ...config });
}

/** `200`, or status and code of the refusal, such as `404 NoSuchKey`. */
export async function outcomeOf(answer: Promise<unknown>): Promise<string> {
  try {
    const response = (await answer) as { $metadata: { httpStatusCode?: number } };
    return String(response.$metadata.httpStatusCode);
  } catch (error) {
    const { name, $metadata } = error as {
      name: string;
      $metadata?: { httpStatusCode?: number };
    };
    return `${$metadata?.httpStatusCode ?? 'no answer'} ${name}`;
  }
}
