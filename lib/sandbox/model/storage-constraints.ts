/**
 * Which storage a charm may have: pools, defaults, how many. Pure.
 * https://github.com/juju/juju/blob/3.6/state/storage.go
 */
import type { StorageDirective, StoragePool } from '../api-storage.ts';
import { ModelError } from '../errors.ts';
import type { JsonRecord } from '../json.ts';
import type { CharmMetadata, StorageMetadata } from './charm-metadata.ts';
import type { StorageConstraints } from './documents.ts';

const DEFAULT_SIZE_MIB = 1024;

/** What stands where a size of the charm's metadata or a person's is shown in a message. */
function megabytes(mebibytes: number): string {
  const value = mebibytes / 1000;
  return value >= 1 ? `${value.toFixed(1)} GB` : `${mebibytes} MB`;
}

/** The pools there are: directories on this host, for good or bound to their machine. */
export const POOLS = {
  list: [
    { name: 'lxd', provider: 'lxd' },
    { name: 'rootfs', provider: 'rootfs' },
  ] satisfies readonly StoragePool[],

  /** Storage of rootfs is part of its machine, and goes with it. */
  isBoundToMachine: (pool: string): boolean => pool === 'rootfs',

  /** @throws ModelError when there is no such pool, or it has no such storage. */
  require(pool: string, { type, name }: StorageMetadata): void {
    if (type === 'block') {
      throw new ModelError(
        `storage ${JSON.stringify(name)} is a block device, and the sandbox has none: it keeps storage in directories of this host`,
        'refused',
      );
    }
    if (['loop', 'tmpfs', 'lxd-btrfs', 'lxd-zfs'].includes(pool)) {
      throw new ModelError(
        `pool ${JSON.stringify(pool)} needs to mount, which the sandbox does not do; use "rootfs" or "lxd"`,
        'refused',
      );
    }
    if (!POOLS.list.some((one) => one.name === pool)) {
      throw new ModelError(`pool ${JSON.stringify(pool)} not found`, 'not-found');
    }
  },
};

/**
 * What every unit of an application gets, for all the storage of its charm.
 * @throws ModelError with Juju's message where the directives do not fit the charm.
 */
export function storageConstraints(
  { name: charm, storage }: CharmMetadata,
  directives: Readonly<Record<string, StorageDirective>>,
  modelConfig: JsonRecord,
): Record<string, StorageConstraints> {
  for (const name of Object.keys(directives)) {
    if (storage[name] === undefined) {
      throw new ModelError(
        `charm ${JSON.stringify(charm)} has no store called ${JSON.stringify(name)}`,
      );
    }
  }
  return Object.fromEntries(
    Object.values(storage).map((meta) => {
      const constraints = withDefaults(meta, directives[meta.name], modelConfig);
      checkConstraints(charm, meta, constraints);
      return [meta.name, constraints];
    }),
  );
}

/** Nothing said: rootfs. Something said, but no pool: the model's default source. */
function withDefaults(
  meta: StorageMetadata,
  directive: StorageDirective | undefined,
  modelConfig: JsonRecord,
): StorageConstraints {
  const size = defaultSize(meta);
  if (directive === undefined) {
    return { pool: 'rootfs', size, count: meta.countMin };
  }
  const source = modelConfig['storage-default-filesystem-source'];
  const modelPool = typeof source === 'string' && source !== '' ? source : 'rootfs';
  return { pool: modelPool, size, ...directive };
}

/** As much as the charm needs at least, or 1 GiB. */
export function defaultSize({ minimumSize }: StorageMetadata): number {
  return minimumSize > 0 ? minimumSize : DEFAULT_SIZE_MIB;
}

function checkConstraints(
  charm: string,
  meta: StorageMetadata,
  { pool, size, count }: StorageConstraints,
): void {
  const what = `charm ${JSON.stringify(charm)} store ${JSON.stringify(meta.name)}`;
  if (meta.shared) {
    throw new ModelError(`${what}: shared storage support not implemented`);
  }
  checkCount(what, meta, count);
  if (size < meta.minimumSize) {
    throw new ModelError(
      `${what}: minimum storage size is ${megabytes(meta.minimumSize)}, ${megabytes(size)} specified`,
    );
  }
  if (count > 0) {
    POOLS.require(pool, meta);
  }
}

function checkCount(what: string, { countMin, countMax }: StorageMetadata, count: number): void {
  if (countMin === 1 && countMax === 1 && count !== 1) {
    throw new ModelError(`${what}: storage is singular, ${count} specified`);
  }
  if (count < countMin) {
    throw new ModelError(`${what}: ${countMin} instances required, ${count} specified`);
  }
  if (countMax >= 0 && count > countMax) {
    throw new ModelError(`${what}: at most ${countMax} instances supported, ${count} specified`);
  }
}

/**
 * Whether a unit with `current` of a storage may have `change` more (or fewer).
 * @throws ModelError with Juju's message.
 */
export function checkCountChange(
  { countMin, countMax }: StorageMetadata,
  current: number,
  change: number,
): void {
  const action = change < 0 ? 'detach' : 'attach';
  const many = Math.abs(change);
  const count = current + change;
  if (countMin === 1 && countMax === 1 && count !== 1) {
    throw new ModelError(`cannot ${action}, storage is singular`);
  }
  const sum = `${action}ing ${many} storage instance${many === 1 ? '' : 's'} brings the total to ${count}`;
  if (count < countMin) {
    throw new ModelError(`${sum}, which is less than the minimum of ${countMin}`);
  }
  if (countMax >= 0 && count > countMax) {
    throw new ModelError(`${sum}, exceeding the maximum of ${countMax}`);
  }
}
