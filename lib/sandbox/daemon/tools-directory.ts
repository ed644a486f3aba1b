/** The directory that is first on every hook's PATH: the client of the hook tools under all names. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxPaths } from '../client/paths.ts';
import { hookToolNames } from '../hook-tools/run-tool.ts';

const CLIENT = new URL('../hook-tools/hook-tool.pl', import.meta.url);

/** Writes the tools anew, so that they fit this daemon. */
export async function writeTools(paths: SandboxPaths): Promise<void> {
  // The directory itself stays: machines have it mounted.
  mkdirSync(paths.tools, { recursive: true, mode: 0o755 });
  for (const name of readdirSync(paths.tools)) {
    await rm(join(paths.tools, name), { recursive: true, force: true });
  }
  const quoted = paths.agentSocket.replaceAll(/['\\]/g, String.raw`\$&`);
  const program = readFileSync(CLIENT, 'utf8').replace('@DEFAULT_SOCKET@', () => quoted);
  const client = join(paths.tools, 'hook-tool');
  writeFileSync(client, program);
  chmodSync(client, 0o755);
  for (const name of [...hookToolNames, 'juju-exec']) {
    symlinkSync('hook-tool', join(paths.tools, name));
  }
}
