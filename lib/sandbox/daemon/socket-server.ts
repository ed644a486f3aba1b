/** A Unix socket that only its owner may use. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { HintError } from '#system';

// sun_path of unix(7) holds 108 bytes with the final zero.
const MAX_PATH_BYTES = 107;

/** Listens at `path`, replacing what a dead daemon left there. */
export async function listenAt(
  path: string,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new HintError(
      `cannot listen at ${path}: the path is longer than ${MAX_PATH_BYTES} bytes`,
      {
        code: 'path-too-long',
        hint: 'set JUJU_DATA to a shorter path',
      },
    );
  }
  rmSync(path, { force: true });
  // A half-open connection lets a client that has sent its request read the whole answer.
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}
