/** The storage port on S3. Nothing of the S3 client or the snapshot format is loaded before the first call. */
import type { StorageConfig } from '#database-backup';
import type { ObjectStore } from '#object-store';
import type { SnapshotInfo, SnapshotManifest } from '#snapshots';
import type { BackupDetails, BackupInfo, CallOptions, StoragePort } from './storage.ts';

/** Opens a store for one call; `close` ends its connections. */
export type OpenStore = (
  config: StorageConfig,
) => Promise<{ readonly store: ObjectStore; close(): void }>;

type WithStore = <T>(config: StorageConfig, use: (store: ObjectStore) => Promise<T>) => Promise<T>;

/** The real storage. */
export function createS3Storage(openStore: OpenStore = openS3Store): StoragePort {
  const withStore: WithStore = async (config, use) => {
    const opened = await openStore(config);
    try {
      return await use(opened.store);
    } finally {
      opened.close();
    }
  };
  return { ...lookingAt(withStore), ...changing(withStore), ...unlocking(withStore) };
}

function lookingAt(withStore: WithStore): Pick<StoragePort, 'check' | 'probe' | 'list' | 'open'> {
  return {
    check: async (config, options) =>
      await withStore(config, async (store) => {
        const { checkStorage, withPrefix } = await import('#object-store');
        await checkStorage(withPrefix(store, folderOf(config)), options);
      }),
    probe: async (config, { signal }) => {
      const { parseS3Options, probeStorage } = await import('#object-store');
      return await probeStorage(parseS3Options(config), { prefix: folderOf(config), signal });
    },
    list: async (config, options) =>
      await withStore(config, async (store) => {
        const { listSnapshots } = await import('#snapshots');
        const listing = await listSnapshots(store, folderOf(config), options);
        return {
          backups: listing.snapshots.map((one) => backupInfo(one)),
          unfinished: listing.unusable.map(({ artefactPath, message, attempt }) => ({
            artefactPath,
            message,
            attempt,
          })),
          deleted: listing.deleted,
        };
      }),
    open: async (config, artefactPath, options) =>
      await withStore(config, async (store) => await openBackup(store, artefactPath, options)),
  };
}

function changing(
  withStore: WithStore,
): Pick<StoragePort, 'verify' | 'delete' | 'undelete' | 'setKept'> {
  return {
    verify: async (config, path, options) =>
      await withStore(config, async (store) => {
        const { keysFor, verifySnapshot } = await import('#snapshots');
        const keys = await keysFor(store, path, options.passphrases, options);
        const report = await verifySnapshot(store, path, { ...options, keys });
        const { artefactPath, readBytes, storedBytes, elapsedMs } = report;
        return { artefactPath, readBytes, neededBytes: storedBytes, elapsedMs };
      }),
    delete: async (config, path, options) =>
      await withStore(config, async (store) => {
        const { deleteSnapshot } = await import('#snapshots');
        await deleteSnapshot(store, path, options);
      }),
    undelete: async (config, path, options) =>
      await withStore(config, async (store) => {
        const { undeleteSnapshot } = await import('#snapshots');
        await undeleteSnapshot(store, path, options);
      }),
    setKept: async (config, path, options) =>
      await withStore(config, async (store) => {
        const { setKept } = await import('#snapshots');
        await setKept(store, path, options);
      }),
  };
}

function unlocking(
  withStore: WithStore,
): Pick<StoragePort, 'items' | 'rotateKey' | 'changePassphrase' | 'recoveryKit'> {
  return {
    items: async (config, path, options) =>
      await withStore(config, async (store) => {
        const { keysFor, openSnapshot, summariseItems } = await import('#snapshots');
        const { signal, directory, passphrases } = options;
        const keys = await keysFor(store, path, passphrases, { signal });
        const snapshot = await openSnapshot(store, path, { keys, signal });
        const items = await summariseItems(snapshot.entries({ signal }), directory);
        return { artefactPath: snapshot.artefactPath, items };
      }),
    rotateKey: async (config, prefix, { passphrases, signal }) =>
      await withStore(config, async (store) => {
        const { rotateKey } = await import('#snapshots');
        const place = { store, chunkPrefix: `${prefix}chunks/`, signal };
        return (await rotateKey(place, passphrases)).keyId;
      }),
    changePassphrase: async (config, prefix, { from, to, signal }) =>
      await withStore(config, async (store) => {
        const { changePassphrase } = await import('#snapshots');
        const place = { store, chunkPrefix: `${prefix}chunks/`, signal };
        return await changePassphrase(place, { from, to });
      }),
    recoveryKit: async (config, prefix, { passphrases, signal }) =>
      await withStore(config, async (store) => {
        const { openKeyRing, recoveryKit } = await import('#snapshots');
        const keys = await openKeyRing(
          { store, chunkPrefix: `${prefix}chunks/`, signal },
          passphrases,
        );
        const where = { storage: store.description, applicationPrefix: prefix };
        return { text: recoveryKit(keys.values(), where), keyIds: [...keys.keys()] };
      }),
  };
}

const openS3Store: OpenStore = async (config) => {
  const { createS3ObjectStore, parseS3Options } = await import('#object-store');
  const store = createS3ObjectStore(parseS3Options(config));
  return { store, close: () => store.close() };
};

/** Where everything of these settings lies: a prefix that ends in `/`, or empty. */
function folderOf(config: StorageConfig): string {
  return config.path === undefined ? '' : `${config.path}/`;
}

async function openBackup(
  store: ObjectStore,
  path: string,
  options: CallOptions,
): Promise<BackupDetails> {
  const { listSnapshots, readManifest } = await import('#snapshots');
  const { artefactPath, manifest } = await readManifest(store, path, options);
  // Its marks lie beside the manifest, and are seen in a listing.
  const { snapshots } = await listSnapshots(store, artefactPath, options);
  const marks = snapshots[0]?.marks ?? { isKept: false, isPinned: false };
  const { totals } = manifest;
  return {
    ...backupInfo({ artefactPath, manifest, marks }),
    startedAt: manifest.startedAt,
    unit: textOf(manifest, 'unit'),
    formatVersion: manifest.formatVersion,
    entries: totals.entries,
    files: totals.files,
    chunks: totals.chunks,
    neededBytes: totals.storedBytes,
  };
}

function backupInfo({ artefactPath, manifest, marks }: SnapshotInfo): BackupInfo {
  return {
    artefactPath,
    createdAt: manifest.createdAt,
    bytes: manifest.totals.bytes,
    storedBytes: manifest.totals.newBytes,
    application: textOf(manifest, 'application'),
    model: textOf(manifest, 'model'),
    modelUuid: textOf(manifest, 'model-uuid'),
    engine: textOf(manifest, 'engine'),
    engineVersion: textOf(manifest, 'engine-version'),
    jobId: textOf(manifest, 'job-id'),
    label: textOf(manifest, 'label'),
    keyId: manifest.keyId,
    marks,
  };
}

function textOf(manifest: SnapshotManifest, name: string): string | undefined {
  const value = manifest.attributes[name];
  return typeof value === 'string' ? value : undefined;
}
