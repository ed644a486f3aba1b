/**
 * Which storage hook a unit owes. Pure.
 * https://github.com/juju/juju/blob/3.6/internal/worker/uniter/storage/resolver.go
 */
import type { UnitDocument } from '../model/documents.ts';
import type { StorageHookInfo } from '../model/hook-info.ts';
import { storageOf } from '../model/storage.ts';
import type { Reader } from '../store/store.ts';

/**
 * storage-attached for what is new, storage-detaching for what is to go; a unit hears of nothing to
 * go that it has not heard of before.
 */
export function nextStorageHook(reader: Reader, unit: UnitDocument): StorageHookInfo | undefined {
  for (const { id, attachment } of storageOf(reader, unit.name)) {
    if (attachment?.life === 'dying' && attachment.told) {
      return { kind: 'storage', step: 'detaching', storage: id };
    }
    if (attachment?.life === 'alive' && !attachment.told && unit.life === 'alive') {
      return { kind: 'storage', step: 'attached', storage: id };
    }
  }
  return undefined;
}
