/** `npm run pack [-- --arch amd64|arm64] [CHARM …]`: charms → dist/*.charm, and with all of them dist/recover.cjs. */

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError, formatBytes } from '#system';
import { bundleProgram } from './bundle-charm.ts';
import { packCharm } from './pack-charm.ts';
import { ARCHITECTURES, type Architecture, projectRoot, thisArchitecture } from './project.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { arch: { type: 'string', default: thisArchitecture() } },
});

try {
  const architecture = parseArchitecture(values.arch);
  const names = positionals.length > 0 ? positionals : ['database', 'backup-manager'];
  for (const name of names) {
    const packed = await packCharm(name, { architecture });
    await tell(packed.path);
  }
  if (positionals.length === 0) {
    const path = join(projectRoot, 'dist', 'recover.cjs');
    await bundleProgram(join(projectRoot, 'lib', 'recover', 'main.ts'), path);
    await tell(path);
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}

async function tell(path: string): Promise<void> {
  const { size } = await stat(path);
  process.stdout.write(`${path} (${formatBytes(size)})\n`);
}

function parseArchitecture(text: string): Architecture {
  if (text in ARCHITECTURES) {
    return text as Architecture;
  }
  throw new Error(
    `unknown architecture "${text}"; use one of ${Object.keys(ARCHITECTURES).join(', ')}`,
  );
}
