/**
 * Storage of units: how it comes, is attached, detached and goes. Pure changes inside transactions;
 * the directories are the agents' business (`agent/storage-directories.ts`).
 * https://github.com/juju/juju/blob/3.6/state/storage.go
 */
import { normalize } from 'node:path';
import type { StorageDirective } from '../api-storage.ts';
import { ModelError } from '../errors.ts';
import type { Reader, Transaction } from '../store/store.ts';
import type { CharmMetadata, StorageMetadata } from './charm-metadata.ts';
import {
  MODEL,
  type StorageAttachment,
  type StorageConstraints,
  type StorageDocument,
  type UnitDocument,
} from './documents.ts';
import { compareUnits } from './names.ts';
import { checkCountChange, defaultSize, POOLS } from './storage-constraints.ts';

/** The storage attached to a unit, or about to be, in order of its ids. */
export function storageOf(reader: Reader, unit: string): readonly StorageDocument[] {
  return reader
    .all('storage')
    .filter(({ attachment }) => attachment?.unit === unit)
    .toSorted((a, b) => compareUnits(a.id, b.id));
}

/** @throws ModelError with Juju's message. */
function requireStorage(reader: Reader, id: string): StorageDocument {
  const storage = reader.get('storage', id);
  if (storage === undefined) {
    throw new ModelError(`storage instance ${JSON.stringify(id)} not found`, 'not-found');
  }
  return storage;
}

/** Gives a new unit what its application asks for, less what is attached from before. */
export function addInitialStorage(
  transaction: Transaction,
  unitName: string,
  attach: readonly string[],
  now: string,
): void {
  const unit = transaction.require('unit', unitName);
  const { storage = {} } = transaction.require('application', unit.application);
  for (const id of attach) {
    attachStorage(transaction, id, unitName, now);
  }
  for (const [name, constraints] of Object.entries(storage)) {
    const present = storageOf(transaction, unitName).filter((one) => one.name === name).length;
    const count = constraints.count - present;
    createStorage(transaction, unit, name, { ...constraints, count }, now);
  }
}

/**
 * Adds storage to a living unit (add-storage, storage-add); answers the new ids.
 * @throws ModelError with Juju's message.
 */
export function addStorage(
  transaction: Transaction,
  unitName: string,
  name: string,
  directive: StorageDirective,
  now: string,
): readonly string[] {
  const unit = transaction.require('unit', unitName);
  if (unit.life !== 'alive') {
    throw new ModelError(`unit ${JSON.stringify(unitName)} is not alive`);
  }
  const meta = storeOf(transaction, unit, name);
  if (meta === undefined) {
    throw new ModelError(`charm storage ${JSON.stringify(name)} not found`, 'not-found');
  }
  checkCountChange(meta, countOf(transaction, unitName, name), directive.count);
  const known = transaction.require('application', unit.application).storage?.[name];
  const constraints = { pool: 'rootfs', size: defaultSize(meta), ...known, ...directive };
  POOLS.require(constraints.pool, meta);
  return createStorage(transaction, unit, name, constraints, now);
}

function createStorage(
  transaction: Transaction,
  unit: UnitDocument,
  name: string,
  { pool, size, count }: StorageConstraints,
  now: string,
): readonly string[] {
  const meta = storeOf(transaction, unit, name);
  return Array.from({ length: meta === undefined ? 0 : Math.max(0, count) }, () => {
    const { counters } = transaction.require('model', MODEL);
    const { storage = 0, filesystem = 0 } = counters;
    transaction.patch('model', MODEL, {
      counters: { ...counters, storage: storage + 1, filesystem: filesystem + 1 },
    });
    const id = `${name}/${storage}`;
    transaction.put('storage', id, {
      id,
      name,
      pool,
      size,
      filesystem: POOLS.isBoundToMachine(pool)
        ? `${unit.machine}/${filesystem}`
        : String(filesystem),
      life: 'alive',
      since: now,
      ...(meta === undefined ? {} : { attachment: attachmentTo(unit, meta, id) }),
    });
    return id;
  });
}

function attachmentTo(unit: UnitDocument, meta: StorageMetadata, id: string): StorageAttachment {
  return {
    unit: unit.name,
    machine: unit.machine,
    location: locationOf(meta, id),
    readOnly: meta.readOnly,
    life: 'alive',
    told: false,
  };
}

/**
 * Where a unit finds its storage, below the unit's directory: `storage/data/0`, or `root` with the
 * place the charm asks for, as units share the machine's real one.
 */
export function locationOf({ location, countMax }: StorageMetadata, id: string): string {
  if (location === '') {
    return `storage/${id}`;
  }
  const wanted = countMax === 1 ? location : `${location}/${id}`;
  // Made absolute first, so that no `..` leads out of it.
  return `root${normalize(`/${wanted}`).replace(/\/$/, '')}`;
}

/** Attaches detached storage. @throws ModelError with Juju's message. */
export function attachStorage(
  transaction: Transaction,
  id: string,
  unitName: string,
  now: string,
): void {
  try {
    tryAttach(transaction, id, unitName, now);
  } catch (error) {
    throw error instanceof ModelError
      ? new ModelError(`cannot attach storage ${id} to unit ${unitName}: ${error.message}`)
      : error;
  }
}

function tryAttach(transaction: Transaction, id: string, unitName: string, now: string): void {
  const storage = requireStorage(transaction, id);
  const unit = transaction.get('unit', unitName);
  if (unit === undefined) {
    throw new ModelError(`unit ${JSON.stringify(unitName)} not found`, 'not-found');
  }
  if (unit.life !== 'alive') {
    throw new ModelError('unit not alive');
  }
  if (storage.life !== 'alive') {
    throw new ModelError('storage not alive');
  }
  if (storage.attachment?.unit === unitName) {
    return;
  }
  if (storage.attachment !== undefined) {
    throw new ModelError(
      `cannot attach storage owned by unit ${storage.attachment.unit} to unit ${unitName}`,
    );
  }
  const meta = storeOf(transaction, unit, storage.name);
  if (meta === undefined) {
    const { name } = charmOf(transaction, unit);
    throw new ModelError(`charm ${name} has no storage called ${storage.name}`);
  }
  if (unit.installed) {
    checkCountChange(meta, countOf(transaction, unitName, storage.name), 1);
  }
  transaction.patch('storage', id, { attachment: attachmentTo(unit, meta, id), since: now });
}

/**
 * Begins to detach storage from the unit it is attached to; the unit runs storage-detaching first.
 * @throws ModelError when the charm cannot do without it, unless forced.
 */
export function detachStorage(
  transaction: Transaction,
  id: string,
  { force, now }: { readonly force: boolean; readonly now: string },
): void {
  const { attachment, name } = requireStorage(transaction, id);
  if (attachment === undefined || attachment.life === 'dying') {
    return;
  }
  const unit = transaction.require('unit', attachment.unit);
  const meta = storeOf(transaction, unit, name);
  if (meta !== undefined && unit.life === 'alive' && !force) {
    try {
      checkCountChange(meta, countOf(transaction, unit.name, name), -1);
    } catch (error) {
      const reason = error instanceof ModelError ? error.message : String(error);
      throw new ModelError(`cannot destroy storage attachment ${id}:${attachment.unit}: ${reason}`);
    }
  }
  endAttachment(transaction, id, now);
}

/** Dying; at once gone when the unit has not heard of the storage and is not about to. */
function endAttachment(transaction: Transaction, id: string, now: string): void {
  const { attachment } = transaction.require('storage', id);
  if (attachment === undefined) {
    return;
  }
  const unit = transaction.require('unit', attachment.unit);
  if (attachment.told || isHearing(unit, id)) {
    transaction.patch('storage', id, { attachment: { ...attachment, life: 'dying' }, since: now });
  } else {
    dropAttachment(transaction, id, now);
  }
}

function isHearing({ running, pending }: UnitDocument, id: string): boolean {
  return [running?.hook, pending?.hook].some(
    (hook) => hook?.kind === 'storage' && hook.storage === id,
  );
}

/** The attachment is no more: the storage stays for others, or goes when it is dying. */
export function dropAttachment(transaction: Transaction, id: string, now: string): void {
  const storage = transaction.get('storage', id);
  if (storage?.life === 'dying') {
    transaction.remove('storage', id);
  } else if (storage !== undefined) {
    transaction.patch('storage', id, { attachment: undefined, since: now });
  }
}

/**
 * Marks storage as dying; detached it goes at once. Its directory has to be removed by the caller.
 * @throws ModelError when it is attached, unless forced.
 */
export function destroyStorage(
  transaction: Transaction,
  id: string,
  { force, now }: { readonly force: boolean; readonly now: string },
): void {
  const { attachment } = requireStorage(transaction, id);
  if (attachment !== undefined && !force) {
    throw new ModelError('storage is attached', 'refused');
  }
  transaction.patch('storage', id, { life: 'dying' });
  if (attachment === undefined) {
    transaction.remove('storage', id);
  } else {
    endAttachment(transaction, id, now);
  }
}

/** What happens to a unit's storage with the unit: what is bound to its machine goes with it. */
export function storageFate(
  reader: Reader,
  unit: string,
  destroy: boolean,
): { readonly destroyed: readonly string[]; readonly detached: readonly string[] } {
  const all = storageOf(reader, unit);
  const goes = (one: StorageDocument) => destroy || POOLS.isBoundToMachine(one.pool);
  return {
    destroyed: all.filter(goes).map(({ id }) => id),
    detached: all.filter((one) => !goes(one)).map(({ id }) => id),
  };
}

/** Begins to detach all storage of a dying unit. */
export function detachAllStorage(transaction: Transaction, unit: string, destroy: boolean): void {
  const { destroyed } = storageFate(transaction, unit, destroy);
  for (const storage of storageOf(transaction, unit)) {
    transaction.patch('storage', storage.id, {
      life: destroyed.includes(storage.id) ? 'dying' : storage.life,
      ...(storage.attachment === undefined
        ? {}
        : { attachment: { ...storage.attachment, life: 'dying' } }),
    });
  }
}

/** How many a unit has of one kind of storage. */
function countOf(reader: Reader, unit: string, name: string): number {
  return storageOf(reader, unit).filter((one) => one.name === name).length;
}

function charmOf(reader: Reader, unit: UnitDocument): CharmMetadata {
  const { charm } = reader.require('application', unit.application);
  return reader.require('charm', charm).metadata;
}

function storeOf(reader: Reader, unit: UnitDocument, name: string): StorageMetadata | undefined {
  return charmOf(reader, unit).storage[name];
}
