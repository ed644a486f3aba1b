/** Finds the snapshots below a prefix. */
import type { ObjectStore } from '#object-store';
import type { SnapshotListing } from './types.ts';

/** Signature first; the body follows. */
export async function listSnapshots(
  store: ObjectStore,
  prefix: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<SnapshotListing> {
  throw new Error(`not yet: ${store.description} ${prefix} ${String(options.signal)}`);
}
