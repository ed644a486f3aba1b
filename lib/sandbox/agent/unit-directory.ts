/** The directory of a unit's agent: the charm's files, and notes of the agent. */
import { existsSync } from 'node:fs';
import { mkdir, readlink, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxPaths } from '../client/paths.ts';
import { unitTag } from '../model/names.ts';
import { copyCharm } from './copy-charm.ts';

export interface UnitDirectory {
  readonly root: string;
  /** Working directory of every hook; stays where it is as long as the unit lives. */
  readonly charm: string;
  readonly state: string;
}

export function unitDirectory(paths: SandboxPaths, unit: string): UnitDirectory {
  const root = join(paths.agents, unitTag(unit));
  return { root, charm: join(root, 'charm'), state: join(root, 'state') };
}

/** Puts the charm in its place, unless it is there. A copy interrupted by a crash is made again. */
export async function prepareUnitDirectory(
  paths: SandboxPaths,
  unit: string,
  charm: string,
  prepareHome: (path: string) => Promise<void>,
): Promise<void> {
  const directory = unitDirectory(paths, unit);
  if (!existsSync(directory.state)) {
    await prepareHome(directory.root);
  }
  await mkdir(directory.state, { recursive: true, mode: 0o700 });
  if (existsSync(directory.charm)) {
    return;
  }
  const temporary = `${directory.charm}.new`;
  await rm(temporary, { recursive: true, force: true });
  await copyCharm(join(paths.charms, charm), temporary);
  await rename(temporary, directory.charm);
}

/** Removes the directory, and what it leads to where it lies on a machine of its own. */
export async function removeUnitDirectory(path: string): Promise<void> {
  let home: string | undefined;
  try {
    home = await readlink(path);
  } catch {
    // An ordinary directory, or none.
  }
  await rm(path, { recursive: true, force: true });
  if (home !== undefined) {
    await rm(home, { recursive: true, force: true });
  }
}
