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
import { nodePackage } from './fetch-node.ts';
import { archiveName, type Platform, platformsOf } from './platforms.ts';
import { type Architecture, projectRoot, thisArchitecture } from './project.ts';
import { licencesOf } from './third-party-licences.ts';
import { requireValidCharm } from './validate-charm.ts';
import { zipDirectory } from './zip-directory.ts';

export interface PackedCharm {
  readonly name: string;
  /** The archive, named as charmcraft names it. */
  readonly path: string;
  /** The same, unpacked. */
  readonly directory: string;
}

export interface PackOptions {
  /** A platform of charmcraft.yaml; the first one for this machine's architecture unless told. */
  readonly platform?: string;
  /** Where the archive and the unpacked charm go; `dist` of the project unless told. */
  readonly outputDirectory?: string;
  /** Folder of the charm's source; `charms/NAME` of the project unless told. */
  readonly source?: string;
}

/**
 * What packed charms start Node with. Small nurseries and early collection cost a dispatch no time and spare half
 * of what long lists add to its memory (bench/reconcile.ts).
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2', '--optimize-for-size'];

// Juju starts `dispatch` by its absolute path, without HOME and with little on PATH. Node keeps compiled
// code in the unit's own folder: written beside and renamed, so dispatches may overlap; checked against
// the source before use; silently left out where it cannot be written.
const DISPATCH = `#!/bin/sh
charm=\${0%/*}
export NODE_COMPILE_CACHE="$charm/.compile-cache"
exec "$charm/bin/node" ${NODE_FLAGS.join(' ')} "$charm/src/main.cjs"
`;

/**
 * Packs `charms/NAME`: entries are `main.ts` and, where there is one, `worker.ts`, in its `src` or beside
 * charmcraft.yaml. The same sources make the same bytes.
 * @throws HintError when the charm, its metadata or the architecture's Node are missing or malformed, or
 *   Juju would refuse the archive.
 */
export async function packCharm(name: string, options: PackOptions = {}): Promise<PackedCharm> {
  const source = options.source ?? join(projectRoot, 'charms', name);
  const output = options.outputDirectory ?? join(projectRoot, 'dist');
  const charmcraft = await readCharmcraft(source);
  const platform = choosePlatform(charmcraft, options.platform);
  const archive = archiveName(name, platform);
  const directory = join(output, 'unpacked', archive.replace(/\.charm$/, ''));
  await writePayload(source, platform.architecture, directory);
  for (const [file, text] of Object.entries(jujuFiles(charmcraft, platform))) {
    await writeFile(join(directory, file), text);
  }
  const path = join(output, archive);
  await zipDirectory(directory, path);
  await requireValidCharm(path);
  return { name, path, directory };
}

/**
 * Writes what a charm of this project is made of, but for the files that charmcraft derives from
 * charmcraft.yaml, into `directory`, which is emptied before.
 * @throws HintError when the architecture's Node is missing, or a bundle cannot be made.
 */
export async function writePayload(
  source: string,
  architecture: Architecture,
  directory: string,
): Promise<void> {
  const node = await nodePackage(architecture);
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'bin'), { recursive: true });
  const code = existsSync(join(source, 'src')) ? join(source, 'src') : source;
  const packages = await bundleCharm(code, join(directory, 'src'));
  await copyFile(join(node, 'bin', 'node'), join(directory, 'bin', 'node'));
  await chmod(join(directory, 'bin', 'node'), 0o755);
  await copyFile(join(node, 'LICENSE'), join(directory, 'bin', 'LICENSE'));
  await writeFile(join(directory, 'dispatch'), DISPATCH);
  await chmod(join(directory, 'dispatch'), 0o755);
  await copyFile(join(projectRoot, 'LICENSE'), join(directory, 'LICENSE'));
  await writeFile(join(directory, 'src', 'LICENSES'), await licencesOf(packages));
  for (const file of ['icon.svg', 'README.md']) {
    if (existsSync(join(source, file))) {
      await copyFile(join(source, file), join(directory, file));
    }
  }
}

/** charmcraft.yaml of the charm in `source`. @throws HintError when it is missing or malformed. */
export async function readCharmcraft(source: string): Promise<CharmcraftFile> {
  const path = join(source, 'charmcraft.yaml');
  if (!existsSync(path)) {
    throw new HintError(`cannot pack ${source}: it has no charmcraft.yaml`, {
      code: 'no-charm',
      hint: 'name a folder of charms/, or the folder of a charm',
    });
  }
  return parseCharmcraft(await readFile(path, 'utf8'), path);
}

function choosePlatform(charmcraft: CharmcraftFile, wanted: string | undefined): Platform {
  const platforms = platformsOf(charmcraft);
  const found = platforms.find(({ name, architecture }) =>
    wanted === undefined ? architecture === thisArchitecture() : name === wanted,
  );
  if (found === undefined) {
    throw new HintError(`${charmcraft.name} has no platform ${wanted ?? thisArchitecture()}`, {
      code: 'unknown-platform',
      hint: `its charmcraft.yaml names ${platforms.map(({ name }) => name).join(', ')}`,
    });
  }
  return found;
}
