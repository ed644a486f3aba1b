/**
 * Packs a charm of this project into a .charm archive: its bundled entry points,
 * Node for the architecture, metadata in Juju's form, and an executable `dispatch`.
 */

import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError } from '#system';
import { bundleCharm } from './bundle-charm.ts';
import { type CharmcraftFile, jujuFiles, parseCharmcraft } from './charmcraft.ts';
import { type Architecture, nodeBinary, projectRoot, thisArchitecture } from './project.ts';
import { zipDirectory } from './zip-directory.ts';

export interface PackedCharm {
  readonly name: string;
  /** The archive. */
  readonly path: string;
  /** The same, unpacked. */
  readonly directory: string;
}

export interface PackOptions {
  readonly architecture?: Architecture;
  /** Where the archive and the unpacked charm go; `dist` of the project unless told. */
  readonly outputDirectory?: string;
  /** Folder of the charm's source; `charms/NAME` of the project unless told. */
  readonly source?: string;
}

// Juju starts `dispatch` by its absolute path, without HOME and with little on PATH. Node keeps compiled
// code in the unit's own folder: written beside and renamed, so dispatches may overlap; checked against
// the source before use; silently left out where it cannot be written.
const DISPATCH = `#!/bin/sh
charm=\${0%/*}
export NODE_COMPILE_CACHE="$charm/.compile-cache"
exec "$charm/bin/node" "$charm/src/main.cjs"
`;

/**
 * Packs `charms/NAME`: entries are `main.ts` and, where there is one, `worker.ts`, in its `src` or beside
 * charmcraft.yaml.
 * @throws HintError when the charm, its metadata or the architecture's Node are missing or malformed.
 */
export async function packCharm(name: string, options: PackOptions = {}): Promise<PackedCharm> {
  const architecture = options.architecture ?? thisArchitecture();
  const source = options.source ?? join(projectRoot, 'charms', name);
  const output = options.outputDirectory ?? join(projectRoot, 'dist');
  const charmcraft = await readCharmcraft(source);
  const directory = join(output, 'unpacked', `${name}_${architecture}`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'bin'), { recursive: true });
  const code = existsSync(join(source, 'src')) ? join(source, 'src') : source;
  await bundleCharm(code, join(directory, 'src'));
  await copyFile(nodeBinary(architecture), join(directory, 'bin', 'node'));
  await chmod(join(directory, 'bin', 'node'), 0o755);
  await writeFile(join(directory, 'dispatch'), DISPATCH, { mode: 0o755 });
  for (const [file, text] of Object.entries(jujuFiles(charmcraft, architecture))) {
    await writeFile(join(directory, file), text);
  }
  await copyExtras(source, directory);
  const path = join(output, `${name}_${architecture}.charm`);
  await zipDirectory(directory, path);
  return { name, path, directory };
}

async function readCharmcraft(source: string): Promise<CharmcraftFile> {
  const path = join(source, 'charmcraft.yaml');
  if (!existsSync(path)) {
    throw new HintError(`cannot pack ${source}: it has no charmcraft.yaml`, {
      code: 'no-charm',
      hint: 'name a folder of charms/, or the folder of a charm',
    });
  }
  return parseCharmcraft(await readFile(path, 'utf8'), path);
}

async function copyExtras(source: string, directory: string): Promise<void> {
  await copyFile(join(projectRoot, 'LICENSE'), join(directory, 'LICENSE'));
  for (const file of ['icon.svg', 'README.md']) {
    if (existsSync(join(source, file))) {
      await copyFile(join(source, file), join(directory, file));
    }
  }
}
