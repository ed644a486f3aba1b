/** One server per data directory: two would overwrite each other's view of it. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { HintError, hasErrorCode } from '#system';

/**
 * Holds the directory until disposed of, or until the process ends, however it ends: the lock is an
 * abstract socket, which the kernel gives up with the process.
 * @throws HintError data-directory-in-use
 */
export async function lockDataDirectory(directory: string): Promise<AsyncDisposable> {
  const digest = createHash('sha256').update(realpathSync(directory)).digest('hex');
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen({ path: `\0juju-s3-${digest}` });
    await once(server, 'listening');
  } catch (error) {
    if (!hasErrorCode(error, 'EADDRINUSE')) {
      throw error;
    }
    throw new HintError(`cannot use ${directory}: another S3 server is using it`, {
      code: 'data-directory-in-use',
      hint: 'stop that one ("juju-s3 stop --data DIR"), or choose another directory',
      cause: error,
    });
  }
  server.unref();
  return { [Symbol.asyncDispose]: async () => await close(server) };
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
