/**
 * The directories of storage. Attached storage is a real directory below that of its unit; detached
 * it waits in a directory of its own. Moving between the two is a rename: nothing is ever copied, and
 * after a crash the data are at one of the two places.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SandboxPaths } from '../client/paths.ts';
import type { StorageDocument } from '../model/documents.ts';
import { storageOf } from '../model/storage.ts';
import type { AgentServices } from './services.ts';
import { unitDirectory } from './unit-directory.ts';

type Services = Pick<AgentServices, 'store' | 'paths'>;

/** Where a unit finds storage attached to it; undefined for detached storage. */
export function storageLocation(
  paths: SandboxPaths,
  { attachment }: StorageDocument,
): string | undefined {
  return attachment && join(unitDirectory(paths, attachment.unit).root, attachment.location);
}

/** Brings all storage attached to the unit to its place; new storage is an empty directory. */
export function placeStorage(services: Services, unit: string): void {
  const { store, paths } = services;
  for (const { id, attachment } of storageOf(store, unit)) {
    const target = attachment && join(unitDirectory(paths, unit).root, attachment.location);
    if (attachment === undefined || target === undefined || existsSync(target)) {
      continue;
    }
    bringHome(services, id);
    // Noted before it is done: whoever looks after a crash finds the data here or at home.
    store.transact((transaction) =>
      transaction.patch('storage', id, { place: { unit, location: attachment.location } }),
    );
    mkdirSync(dirname(target), { recursive: true });
    if (existsSync(homeOf(paths, id))) {
      renameSync(homeOf(paths, id), target);
    } else {
      mkdirSync(target);
    }
  }
}

/** Takes what is no longer attached to the unit out of its directory. */
export function releaseStorage(services: Services, unit: string): void {
  const left = services.store
    .all('storage')
    .filter(({ place, attachment }) => place?.unit === unit && attachment?.unit !== unit);
  for (const { id } of left) {
    bringHome(services, id);
  }
}

function bringHome({ store, paths }: Services, id: string): void {
  const { place } = store.require('storage', id);
  if (place === undefined) {
    return;
  }
  const path = join(unitDirectory(paths, place.unit).root, place.location);
  if (existsSync(path)) {
    mkdirSync(paths.storage, { recursive: true });
    renameSync(path, homeOf(paths, id));
  }
  store.transact((transaction) => transaction.patch('storage', id, { place: undefined }));
}

/** Removes the data of storage that the model has forgotten. */
export async function removeStorageData(
  paths: SandboxPaths,
  { id, place }: Pick<StorageDocument, 'id' | 'place'>,
): Promise<void> {
  await rm(homeOf(paths, id), { recursive: true, force: true });
  if (place !== undefined) {
    const path = join(unitDirectory(paths, place.unit).root, place.location);
    await rm(path, { recursive: true, force: true });
  }
}

function homeOf(paths: SandboxPaths, id: string): string {
  return join(paths.storage, id.replace('/', '-'));
}
