/** storage, storage-pools, add-, attach-, detach- and remove-storage. */
import {
  releaseStorage,
  removeStorageData,
  storageLocation,
} from '../../agent/storage-directories.ts';
import type { Calls } from '../../api.ts';
import type { StorageInfo, StorageResult } from '../../api-storage.ts';
import type { SandboxPaths } from '../../client/paths.ts';
import { ModelError } from '../../errors.ts';
import type { StorageDocument } from '../../model/documents.ts';
import { compareUnits } from '../../model/names.ts';
import { addStorage, attachStorage, destroyStorage, detachStorage } from '../../model/storage.ts';
import { POOLS } from '../../model/storage-constraints.ts';
import { type CallContext, requireUnit } from './call-context.ts';

export function listStorage({ services }: CallContext): readonly StorageInfo[] {
  return services.store
    .all('storage')
    .toSorted((a, b) => compareUnits(a.id, b.id))
    .map((one) => describeStorage(services.paths, one));
}

function describeStorage(paths: SandboxPaths, storage: StorageDocument): StorageInfo {
  const { id, pool, size, life, filesystem, since, attachment } = storage;
  return {
    id,
    kind: 'filesystem',
    pool,
    size,
    life,
    filesystem,
    status: { current: statusOf(storage), since },
    ...(attachment === undefined
      ? {}
      : {
          attachment: {
            unit: attachment.unit,
            machine: attachment.machine,
            location: storageLocation(paths, storage) ?? '',
            life: attachment.life,
            readOnly: attachment.readOnly,
          },
        }),
  };
}

function statusOf({ attachment, place }: StorageDocument): string {
  if (attachment === undefined) {
    return 'detached';
  }
  if (attachment.life === 'dying') {
    return 'detaching';
  }
  return place?.unit === attachment.unit ? 'attached' : 'pending';
}

export function storagePools(): Calls['storage-pools']['result'] {
  return POOLS.list;
}

export function addUnitStorage(
  { services }: CallContext,
  { unit, directives }: Calls['add-storage']['params'],
): Calls['add-storage']['result'] {
  requireUnit(services.store, unit);
  const now = services.clock.now().toISOString();
  return Object.entries(directives).map(([name, directive]) => {
    try {
      const storage = services.store.transact((transaction) =>
        addStorage(transaction, unit, name, directive, now),
      );
      return { name, storage };
    } catch (error) {
      const reason = messageOf(error);
      return { name, storage: [], error: `adding storage to unit ${unit}: ${reason}` };
    }
  });
}

export function attachUnitStorage(
  { services }: CallContext,
  { unit, storage }: Calls['attach-storage']['params'],
): readonly StorageResult[] {
  const now = services.clock.now().toISOString();
  return storage.map((id) =>
    attempt(id, () => {
      services.store.transact((transaction) => {
        attachStorage(transaction, id, unit, now);
      });
    }),
  );
}

export function detachUnitStorage(
  { services }: CallContext,
  { storage, force = false }: Calls['detach-storage']['params'],
): readonly StorageResult[] {
  const now = services.clock.now().toISOString();
  return storage.map((id) =>
    attempt(id, () => {
      const unit = services.store.get('storage', id)?.attachment?.unit;
      services.store.transact((transaction) => {
        detachStorage(transaction, id, { force, now });
      });
      releaseStorage(services, unit ?? '');
    }),
  );
}

export async function removeStorage(
  { services }: CallContext,
  { storage, force = false, release = false }: Calls['remove-storage']['params'],
): Promise<readonly StorageResult[]> {
  const now = services.clock.now().toISOString();
  const results: StorageResult[] = [];
  for (const id of storage) {
    const before = services.store.get('storage', id);
    results.push(
      attempt(id, () => {
        refuseRelease(release, before);
        services.store.transact((transaction) => {
          destroyStorage(transaction, id, { force, now });
        });
      }),
    );
    if (before !== undefined && services.store.get('storage', id) === undefined) {
      await removeStorageData(services.paths, before);
    }
  }
  return results;
}

function refuseRelease(release: boolean, storage: StorageDocument | undefined): void {
  if (release && storage !== undefined) {
    throw new ModelError(
      `storage provider ${JSON.stringify(storage.pool)} does not support releasing storage`,
      'refused',
    );
  }
}

function attempt(storage: string, work: () => void): StorageResult {
  try {
    work();
    return { storage };
  } catch (error) {
    const attached = error instanceof ModelError && error.message === 'storage is attached';
    return { storage, error: messageOf(error), ...(attached ? { attached } : {}) };
  }
}

/** @throws what is no refusal of the model. */
function messageOf(error: unknown): string {
  if (error instanceof ModelError) {
    return error.message;
  }
  throw error;
}
