/** Storage as the documents of `juju storage`, `juju show-storage` and `juju status`. */
import type { StorageInfo } from '../../api-storage.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { statusTime, type ZoneChoice } from '../output/timestamp.ts';

/** `storage` and `filesystems`; empty when there is no storage. */
export function structuredStorage(
  all: readonly StorageInfo[],
  zone: ZoneChoice,
): Record<string, OutputValue> {
  return all.length === 0
    ? {}
    : { storage: storageById(all, zone), filesystems: filesystemsById(all, zone) };
}

/** The storage by its ids. */
export function storageById(
  all: readonly StorageInfo[],
  zone: ZoneChoice,
): Record<string, OutputValue> {
  return Object.fromEntries(
    all
      .toSorted((a, b) => compareNaturally(a.id, b.id))
      .map((one) => [one.id, storageInstance(one, zone)]),
  );
}

function storageInstance(one: StorageInfo, zone: ZoneChoice): OutputValue {
  const { kind, life, attachment } = one;
  return {
    kind,
    life,
    status: status(one, zone),
    persistent: false,
    attachments: attachment && {
      units: {
        [attachment.unit]: {
          machine: attachment.machine,
          location: attachment.location,
          life: attachment.life,
        },
      },
    },
  };
}

/** The file systems by Juju's numbers of them. */
export function filesystemsById(
  all: readonly StorageInfo[],
  zone: ZoneChoice,
): Record<string, OutputValue> {
  return Object.fromEntries(
    all
      .toSorted((a, b) => compareNaturally(a.filesystem, b.filesystem))
      .map((one) => [one.filesystem, filesystem(one, zone)]),
  );
}

function filesystem(one: StorageInfo, zone: ZoneChoice): OutputValue {
  const { attachment } = one;
  return {
    'provider-id': one.filesystem,
    storage: one.id,
    attachments: attachment && {
      machines: {
        [attachment.machine]: {
          'mount-point': attachment.location,
          'read-only': attachment.readOnly,
          life: attachment.life,
        },
      },
      units: {
        [attachment.unit]: {
          machine: attachment.machine,
          location: attachment.location,
          life: attachment.life,
        },
      },
    },
    pool: one.pool,
    size: one.size,
    life: one.life,
    status: status(one, zone),
  };
}

function status(
  { status: { current, message, since } }: StorageInfo,
  zone: ZoneChoice,
): OutputValue {
  return {
    current,
    message,
    since: since === undefined ? undefined : statusTime(new Date(since), zone),
  };
}
