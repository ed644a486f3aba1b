/** What the demo needs of the machine, checked before anything is touched. */
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { HintError, hasErrorCode } from '#system';

/** @throws HintError with one sentence that says what to do, when the demo cannot run here. */
export async function preflight(options: {
  readonly dataDirectory: string;
  readonly s3Port: number;
}): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new HintError(
      'the demo installs PostgreSQL and runs charms as Juju does, which needs root',
      {
        code: 'not-root',
        hint: 'run it as root: sudo npm run demo',
      },
    );
  }
  if (!(await exists('/usr/bin/apt-get'))) {
    throw new HintError('the demo installs PostgreSQL with apt-get, which is not here', {
      code: 'no-apt',
      hint: 'run it on Debian 12 or Ubuntu 22.04 or 24.04, for example in a container or a virtual machine',
    });
  }
  if (await exists(options.dataDirectory)) {
    throw new HintError(`an earlier sandbox is still there, in ${options.dataDirectory}`, {
      code: 'old-run',
      hint: 'end it with "npx juju kill-controller --no-prompt", or name another place: JUJU_DATA=/some/folder npm run demo',
    });
  }
  await requireFreePort(options.s3Port);
}

async function requireFreePort(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    if (hasErrorCode(error, 'EADDRINUSE')) {
      throw new HintError(
        `port ${port}, meant for the demo's S3 server, is taken by another program`,
        {
          code: 'port-taken',
          hint: `name another one: npm run demo -- --s3-port ${port + 1}`,
          cause: error,
        },
      );
    }
    throw error;
  } finally {
    server.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
