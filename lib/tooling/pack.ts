/** `npm run pack [-- --arch amd64|arm64] [CHARM …]`: charms → dist/*.charm. */

import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeError, formatBytes } from '#system';
import { packCharm } from './pack-charm.ts';
import { ARCHITECTURES, type Architecture, thisArchitecture } from './project.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { arch: { type: 'string', default: thisArchitecture() } },
});

try {
  const architecture = parseArchitecture(values.arch);
  const names = positionals.length > 0 ? positionals : ['database', 'backup-manager'];
  for (const name of names) {
    const packed = await packCharm(name, { architecture });
    const { size } = await stat(packed.path);
    process.stdout.write(`${packed.path} (${formatBytes(size)})\n`);
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}

function parseArchitecture(text: string): Architecture {
  if (text in ARCHITECTURES) {
    return text as Architecture;
  }
  throw new Error(
    `unknown architecture "${text}"; use one of ${Object.keys(ARCHITECTURES).join(', ')}`,
  );
}
