/** The daemon's process: `main.ts <data directory> <bootstrap options as JSON>`. */
import { describeError } from '#system';
import type { BootstrapOptions } from '../client/daemon-control.ts';
import { runDaemon } from './daemon.ts';

const [root, options = '{}'] = process.argv.slice(2);
if (root === undefined) {
  console.error('usage: main.ts <data directory> [<options>]');
  process.exit(2);
}
// As agents of Juju have it, whatever the shell had that started the daemon: charms make files for other users.
process.umask(0o022);
try {
  await runDaemon(root, JSON.parse(options) as BootstrapOptions);
  process.exit(0);
} catch (error) {
  console.error(`${new Date().toISOString()} cannot run: ${describeError(error)}`);
  process.exit(1);
}
