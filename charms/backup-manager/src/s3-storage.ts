/** The storage port on S3. Nothing of the S3 client or the snapshot format is loaded before the first call. */
import type { StorageConfig } from '#database-backup';
import type { ObjectStore } from '#object-store';
import type { SnapshotManifest } from '#snapshots';
import type { BackupInfo, StoragePort } from './storage.ts';

/** Opens a store for one call; `close` ends its connections. */
export type OpenStore = (
  config: StorageConfig,
) => Promise<{ readonly store: ObjectStore; close(): void }>;

/** The real storage. */
export function createS3Storage(openStore: OpenStore = openS3Store): StoragePort {
  const withStore = async <T>(
    config: StorageConfig,
    use: (store: ObjectStore) => Promise<T>,
  ): Promise<T> => {
    const opened = await openStore(config);
    try {
      return await use(opened.store);
    } finally {
      opened.close();
    }
  };
  return {
    check: async (config, options) =>
      await withStore(config, async (store) => {
        const { checkStorage, withPrefix } = await import('#object-store');
        await checkStorage(withPrefix(store, folderOf(config)), options);
      }),
    list: async (config, options) =>
      await withStore(config, async (store) => {
        const { listSnapshots } = await import('#snapshots');
        const listing = await listSnapshots(store, folderOf(config), options);
        return {
          backups: listing.snapshots.map((one) => backupInfo(one.artefactPath, one.manifest)),
          unfinished: listing.unusable.map(({ artefactPath, message }) => ({
            artefactPath,
            message,
          })),
        };
      }),
    open: async (config, artefactPath, options) =>
      await withStore(config, async (store) => {
        const { openSnapshot } = await import('#snapshots');
        const snapshot = await openSnapshot(store, artefactPath, options);
        return backupInfo(snapshot.artefactPath, snapshot.manifest);
      }),
  };
}

const openS3Store: OpenStore = async (config) => {
  const { createS3ObjectStore, parseS3Options } = await import('#object-store');
  const store = createS3ObjectStore(parseS3Options(config));
  return { store, close: () => store.close() };
};

function folderOf(config: StorageConfig): string {
  return config.path === undefined ? '' : `${config.path}/`;
}

function backupInfo(artefactPath: string, manifest: SnapshotManifest): BackupInfo {
  const text = (name: string): string | undefined => {
    const value = manifest.attributes[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    artefactPath,
    createdAt: manifest.createdAt,
    bytes: manifest.totals.bytes,
    storedBytes: manifest.totals.newBytes,
    application: text('application'),
    model: text('model'),
    modelUuid: text('model-uuid'),
    engine: text('engine'),
    engineVersion: text('engine-version'),
    jobId: text('job-id'),
  };
}
