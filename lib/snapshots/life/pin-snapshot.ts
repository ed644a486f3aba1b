/** Tells everybody who deletes that a snapshot is being read. */
import { randomUUID } from 'node:crypto';
import { isObjectStoreError, type ObjectStore } from '#object-store';
import { normaliseArtefactPath } from '../artefact-path.ts';
import { PIN_LIFETIME_MS, pinName, writeMark } from './marks.ts';

export interface Pin extends AsyncDisposable {
  /** False where the credentials may only read: then nothing protects the snapshot but the grace of the sweep. */
  readonly isHeld: boolean;
}

const RENEW_MS = PIN_LIFETIME_MS / 6;

/**
 * Until disposed of, `deleteSnapshot` refuses to delete this snapshot. Renewed by itself; that of a dead process
 * runs out after six hours. Disposing never throws.
 * @throws ObjectStoreError when the store does not answer
 */
export async function pinSnapshot(
  store: ObjectStore,
  path: string,
  reader: { readonly who: string; readonly signal?: AbortSignal },
): Promise<Pin> {
  const key = `${normaliseArtefactPath(path)}${pinName(randomUUID())}`;
  const renew = async (): Promise<void> =>
    await writeMark(store, key, { who: reader.who }, reader.signal);
  try {
    await renew();
  } catch (error) {
    if (isObjectStoreError(error, 'access-denied')) {
      return { isHeld: false, [Symbol.asyncDispose]: async () => undefined };
    }
    throw error;
  }
  const timer = setInterval(() => {
    // The next turn comes long before the pin runs out.
    renew().catch(() => undefined);
  }, RENEW_MS);
  timer.unref();
  return {
    isHeld: true,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await store.delete([key]).catch(() => undefined);
    },
  };
}
