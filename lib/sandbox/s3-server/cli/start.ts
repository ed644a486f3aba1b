/** `juju-s3 start` in the foreground: serves until it is told to end. */
import { readFile } from 'node:fs/promises';
import { HintError, makePrivateDirectory } from '#system';
import type { FinishedRequest } from '../options.ts';
import { createS3Server, type S3Server } from '../server.ts';
import type { StartCommand } from './arguments.ts';
import { credentialsFile, loadCredentials } from './credentials.ts';
import { removeServerState, writeServerState } from './server-state.ts';

export interface StartContext {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  readonly warn: (line: string) => void;
}

/** Resolves when the server listens; the caller ends it by `close`. */
export async function startServer(
  command: StartCommand,
  context: StartContext,
): Promise<Pick<S3Server, 'endpoint' | 'close'>> {
  const { dataDirectory } = command;
  await makePrivateDirectory(dataDirectory);
  const { variables } = context;
  const file = command.credentialsFile;
  const credentials = await loadCredentials({ dataDirectory, file, variables });
  const tls = await readTls(command.tls);
  const server = await createS3Server({
    directory: dataDirectory,
    ...credentials,
    host: command.host,
    port: command.port,
    buckets: command.buckets,
    fsync: command.fsync,
    onWarning: context.warn,
    ...(tls === undefined ? {} : { tls }),
    ...(command.region === undefined ? {} : { region: command.region }),
    ...(command.isLogging ? { onRequest: (request) => context.print(logLine(request)) } : {}),
  });
  const isFromEnvironment = file === undefined && variables['JUJU_S3_ACCESS_KEY'] !== undefined;
  await writeServerState(dataDirectory, {
    endpoint: server.endpoint,
    credentialsFile: isFromEnvironment ? undefined : (file ?? credentialsFile(dataDirectory)),
  });
  return {
    endpoint: server.endpoint,
    close: async () => {
      await server.close();
      await removeServerState(dataDirectory);
    },
  };
}

async function readTls(
  files: StartCommand['tls'],
): Promise<{ cert: string; key: string } | undefined> {
  if (files === undefined) {
    return undefined;
  }
  try {
    const [cert, key] = await Promise.all([
      readFile(files.certFile, 'utf8'),
      readFile(files.keyFile, 'utf8'),
    ]);
    return { cert, key };
  } catch (error) {
    throw new HintError(
      `cannot read the certificate: ${Error.isError(error) ? error.message : ''}`,
      {
        code: 'certificate-unreadable',
        hint: 'give PEM files for --tls-cert and --tls-key',
        cause: error,
      },
    );
  }
}

function logLine(request: FinishedRequest): string {
  const { operation, bucket, key, status, errorCode, durationMs } = request;
  const outcome = errorCode === undefined ? String(status) : `${status} ${errorCode}`;
  return `${operation} ${bucket}/${key} ${outcome} ${durationMs.toFixed(1)} ms`;
}
