/** Snapshots: complete, verified, deduplicated images in an object store. See FORMAT.md and README.md. */
export {
  type ArtefactIdentity,
  type ArtefactLocation,
  applicationPrefixFor,
  artefactPathFor,
  chunkPrefixFor,
  normaliseArtefactPath,
  type ParsedArtefactPath,
  parseArtefactPath,
} from './artefact-path.ts';
export { isSnapshotError, SnapshotError, type SnapshotErrorCode } from './errors.ts';
export { listSnapshots } from './list-snapshots.ts';
export { openSnapshot } from './open-snapshot.ts';
export type {
  BackupProgress,
  EntryInfo,
  EntryKind,
  EntryMetadata,
  IndexPart,
  ReadProgress,
  ReadSummary,
  RestoreOptions,
  Snapshot,
  SnapshotEntry,
  SnapshotInfo,
  SnapshotListing,
  SnapshotManifest,
  SnapshotSummary,
  SnapshotTotals,
  UnusableArtefact,
  VerifyOptions,
  WriteSnapshotOptions,
} from './types.ts';
export { writeSnapshot } from './write-snapshot.ts';
