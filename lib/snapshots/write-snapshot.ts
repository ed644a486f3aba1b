/** Writes one snapshot: entries in, chunks, index and manifest out. */
import type { SnapshotSummary, WriteSnapshotOptions } from './types.ts';

/** Signature first; the body follows. */
export async function writeSnapshot(options: WriteSnapshotOptions): Promise<SnapshotSummary> {
  throw new Error(`not yet: ${options.artefactPath}`);
}
