/** The sandbox's own S3 server, in the test's process, with data that are gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Server, type S3Server, type S3ServerOptions } from '#sandbox';

export interface S3DevServer {
  /** Where its buckets are kept. */
  readonly directory: string;
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly replaceCredentials: S3Server['replaceCredentials'];
  stop(): Promise<void>;
}

/** Starts a server with one bucket on a free port. */
export async function startS3DevServer(
  bucket: string,
  options: Partial<S3ServerOptions> = {},
): Promise<S3DevServer> {
  const directory = await mkdtemp(join(tmpdir(), 's3-dev-'));
  const { accessKey = 'TESTACCESSKEY0000002', secretKey = 'planted-secret-key-of-the-test-0002' } =
    options;
  const keys = { accessKey, secretKey };
  const server = await createS3Server({
    directory,
    ...keys,
    buckets: [bucket],
    ...options,
    ...keys,
  });
  return {
    directory,
    endpoint: server.endpoint,
    bucket,
    ...keys,
    replaceCredentials: (credentials) => server.replaceCredentials(credentials),
    async stop() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
