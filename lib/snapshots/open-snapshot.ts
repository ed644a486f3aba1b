/** Opens a snapshot for reading. */
import type { ObjectStore } from '#object-store';
import type { Snapshot } from './types.ts';

/** Signature first; the body follows. */
export async function openSnapshot(
  store: ObjectStore,
  artefactPath: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Snapshot> {
  throw new Error(`not yet: ${store.description} ${artefactPath} ${String(options.signal)}`);
}
