/** The keys a job encrypts or decrypts with, opened by the passphrases it was given. */
import { ensureKey, type KeyRing, keysFor, type RepositoryKey } from '#snapshots';
import { HintError } from '#system';
import type { JobContext } from './job-context.ts';

/**
 * The key a backup is to be encrypted with; made where the application has none yet. undefined where it is not to be encrypted.
 * @throws HintError `passphrase-missing` where it is, and there is no passphrase; SnapshotError `wrong-key`, `weak-key`
 */
export async function keyForBackup({
  spec,
  store,
  clock,
  signal,
}: JobContext): Promise<RepositoryKey | undefined> {
  const { isEncrypted, passphrases, chunkPrefix } = spec;
  if (isEncrypted !== true) {
    return undefined;
  }
  if (passphrases === undefined) {
    throw new HintError('cannot back up: it was to be encrypted, and the passphrase is gone', {
      code: 'passphrase-missing',
      hint: 'ask for it again under a new job-id',
    });
  }
  return (await ensureKey({ store, chunkPrefix, signal }, passphrases, clock)).current;
}

/** What opens the backup to be restored; undefined where it is not encrypted. @throws SnapshotError `key-needed`, `wrong-key` */
export async function keysForRestore(
  { spec, store, signal }: JobContext,
  artefactPath: string,
): Promise<KeyRing | undefined> {
  return await keysFor(store, artefactPath, spec.passphrases, { signal });
}
