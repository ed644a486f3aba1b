/**
 * `npm run pack [-- --arch amd64|arm64] [--charmcraft] [CHARM …]`: charms → dist/*.charm, one for each platform
 * of charmcraft.yaml; with all of them dist/recover.cjs. With --charmcraft: dist/charmcraft/CHARM instead,
 * a folder in which `charmcraft pack` makes the same archives.
 */

import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError, formatBytes, HintError } from '#system';
import { bundleProgram } from './bundle-charm.ts';
import { writeCharmcraftProject } from './charmcraft-project.ts';
import { nodePackage } from './fetch-node.ts';
import { packCharm, readCharmcraft } from './pack-charm.ts';
import { isArchitecture, type Platform, platformsOf } from './platforms.ts';
import { ARCHITECTURES, type Architecture, projectRoot } from './project.ts';

const USAGE = 'usage: npm run pack [-- [--arch amd64|arm64] [--charmcraft] [CHARM …]]';

try {
  const { values, positionals } = readArguments();
  const architectures = await obtainable(values.arch);
  const names = positionals.length > 0 ? positionals : ['database', 'backup-manager'];
  for (const name of names) {
    await (values.charmcraft ? prepare(name, architectures) : pack(name, architectures));
  }
  if (positionals.length === 0 && !values.charmcraft) {
    const path = join(projectRoot, 'dist', 'recover.cjs');
    await bundleProgram(join(projectRoot, 'lib', 'recover', 'main.ts'), path);
    await tell(path);
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}

async function pack(name: string, architectures: readonly Architecture[]): Promise<void> {
  const charmcraft = await readCharmcraft(join(projectRoot, 'charms', name));
  const fits = ({ architecture }: Platform) => architectures.includes(architecture);
  for (const platform of platformsOf(charmcraft).filter(fits)) {
    const { path } = await packCharm(name, { platform: platform.name });
    await tell(path);
  }
}

async function prepare(name: string, architectures: readonly Architecture[]): Promise<void> {
  const folder = await writeCharmcraftProject(name, architectures);
  process.stdout.write(`cd ${relative(process.cwd(), folder)} && charmcraft pack\n`);
}

/** The architectures Node can be had for: the one asked for, or else all that can be had here and now. */
async function obtainable(wanted: string | undefined): Promise<readonly Architecture[]> {
  if (wanted !== undefined) {
    const architecture = parseArchitecture(wanted);
    await nodePackage(architecture);
    return [architecture];
  }
  const found: Architecture[] = [];
  for (const architecture of Object.keys(ARCHITECTURES) as Architecture[]) {
    try {
      await nodePackage(architecture);
      found.push(architecture);
    } catch (error) {
      if (!(error instanceof HintError && error.code === 'node-unavailable')) {
        throw error;
      }
      process.stderr.write(`left out ${architecture}: ${describeError(error)}\n`);
    }
  }
  return found;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { arch: { type: 'string' }, charmcraft: { type: 'boolean', default: false } },
    });
  } catch (error) {
    throw new Error(`${describeError(error)}\n${USAGE}`, { cause: error });
  }
}

async function tell(path: string): Promise<void> {
  const { size } = await stat(path);
  process.stdout.write(`${path} (${formatBytes(size)})\n`);
}

function parseArchitecture(text: string): Architecture {
  if (isArchitecture(text)) {
    return text;
  }
  throw new Error(
    `unknown architecture "${text}"; use one of ${Object.keys(ARCHITECTURES).join(', ')}`,
  );
}
