/** Snapshots: complete, verified, deduplicated images in an object store. See FORMAT.md and README.md. */
export {
  type ArtefactIdentity,
  type ArtefactLocation,
  applicationPrefixFor,
  applicationPrefixOf,
  artefactPathFor,
  chunkPrefixFor,
  normaliseArtefactPath,
  type ParsedArtefactPath,
  parseArtefactPath,
} from './artefact-path.ts';
export {
  assertStrong,
  changePassphrase,
  ensureKey,
  type KeyRing,
  openKeyRing,
  type Passphrases,
  rotateKey,
} from './crypto/key-ring.ts';
export { parseRecoveryKit, recoveryKit } from './crypto/recovery-kit.ts';
export type { RepositoryKey } from './crypto/repository-key.ts';
export { isSnapshotError, SnapshotError, type SnapshotErrorCode } from './errors.ts';
export { type ItemSummary, isAtOrBelow, summariseItems } from './items.ts';
export {
  type DeleteOptions,
  deleteSnapshot,
  setKept,
  undeleteSnapshot,
} from './life/delete-snapshot.ts';
export { type FailedAttempt, type FailedOptions, planFailed } from './life/failed-attempts.ts';
export type { SnapshotMarks } from './life/marks.ts';
export { type Pin, pinSnapshot } from './life/pin-snapshot.ts';
export {
  parseRetention,
  planRetention,
  type RetentionCandidate,
  type RetentionDecision,
  type RetentionRules,
} from './life/retention.ts';
export { type SweepOptions, type SweepReport, sweep } from './life/sweep.ts';
export {
  type VerifyLevel,
  type VerifyReport,
  type VerifySnapshotOptions,
  verifySnapshot,
} from './life/verify-snapshot.ts';
export { listSnapshots } from './list-snapshots.ts';
export { keysFor, type OpenOptions, openSnapshot, readManifest } from './open-snapshot.ts';
export { comparePaths } from './parent-files.ts';
export { exportTar } from './portable/export-tar.ts';
export { importTar, type PortableContent } from './portable/import-tar.ts';
export { ReadBarrier } from './read-barrier.ts';
export type {
  BackupProgress,
  DeletedSnapshot,
  EntryContent,
  EntryFile,
  EntryInfo,
  EntryKind,
  EntryMetadata,
  IndexPart,
  ReadProgress,
  ReadSummary,
  RestoreOptions,
  Snapshot,
  SnapshotDraft,
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
export { draftSnapshot, writeSnapshot } from './write-snapshot.ts';
