/** The vocabulary of snapshots; FORMAT.md says what of it is stored, and how. */
import type { ObjectStore } from '#object-store';
import type { Clock, JsonValue } from '#system';
import type { ChunkIds } from './coding.ts';
import type { RepositoryKey } from './crypto/repository-key.ts';
import type { FailedAttempt } from './life/failed-attempts.ts';
import type { SnapshotMarks } from './life/marks.ts';
import type { ReadBarrier } from './read-barrier.ts';

export type EntryKind = 'directory' | 'file' | 'symlink' | 'stream';

/** What a snapshot remembers about a thing besides its content. */
export interface EntryMetadata {
  readonly kind: EntryKind;
  /** Relative, `/`-separated, without `.` or `..`; `.` alone is the top directory itself. */
  readonly path: string;
  /** Permission bits, for example 0o600. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly owner?: string;
  readonly group?: string;
  readonly mtimeMs?: number;
  /** What a symlink points to, kept as it is. */
  readonly target?: string;
  /**
   * Of a file: opaque, and equal to that of an earlier backup's entry of the same path only if the content is the same.
   * Then the file is not read at all.
   */
  readonly fingerprint?: string;
}

/** Bytes of an entry that lie in a file of this machine, read by the writer itself, in pieces and side by side. */
export interface EntryFile {
  /** Absolute; a link in its place is not followed. */
  readonly path: string;
  /** What is missing up to `size`, when the file has become shorter. */
  readonly whenShort: 'fail' | 'zeros';
  /** What becomes of the entry when nobody finds the file any more. */
  readonly whenGone: 'fail' | 'skip';
  /** Told where it was skipped. */
  readonly onGone?: () => void;
}

/**
 * One thing to back up; of files and streams either `file` or `open` is used. `open` is called once, in order, and read to
 * its end before the next entry is asked for. A `file` may be read later: see `WriteSnapshotOptions.reads`.
 * What an earlier backup holds unchanged is found if the paths come in the order of `comparePaths`.
 */
export interface SnapshotEntry extends EntryMetadata {
  /** Bytes expected; where given, reading more or fewer is an error. Required with `file`. */
  readonly size?: number;
  readonly file?: EntryFile;
  /** The pieces may be reused by the source once the next is asked for. */
  open?(): AsyncIterable<Uint8Array>;
}

/** One thing in a snapshot. */
export interface EntryInfo extends EntryMetadata {
  readonly size: number;
}

export interface BackupProgress {
  /** Bytes taken from the source so far. */
  readonly bytesRead: number;
  /** Bytes sent to the store so far. */
  readonly bytesStored: number;
}

/** Where and how a snapshot is to be written. */
export interface DraftOptions {
  readonly store: ObjectStore;
  /** From `artefactPathFor`: the prefix that will hold this snapshot's manifest and index. */
  readonly artefactPath: string;
  /** From `chunkPrefixFor`: where the application's chunks lie. */
  readonly chunkPrefix: string;
  readonly compression: boolean;
  /** zstd level where `compression` is on; 1 unless told. */
  readonly level?: number;
  /** Encrypts the backup: content, names of files and chunk ids, but not `attributes`. */
  readonly key?: RepositoryKey | undefined;
  /** Of so many chunks stored one is decoded again and compared first; 32 unless told, 0 for none, 1 for all. */
  readonly recheckEvery?: number;
  readonly clock?: Clock;
  /** Waits until so many bytes may be read from the source; asked for some MiB at a time. */
  readonly limitRead?: (bytes: number) => Promise<void>;
  /** Ends the backup; no manifest is left. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** What a snapshot is to hold. */
export interface SnapshotSource {
  readonly entries: AsyncIterable<SnapshotEntry>;
  /** Facts about the origin, kept in the manifest: engine, version, model, app, unit, job-id… No secrets. */
  readonly attributes: Readonly<Record<string, JsonValue>>;
  /** Tells the source of the entries when the files it has handed out have been read. */
  readonly reads?: ReadBarrier;
}

export type WriteSnapshotOptions = DraftOptions & SnapshotSource;

/** A snapshot of which nothing is written yet. */
export interface SnapshotDraft {
  /** Once. As `writeSnapshot`. */
  write(source: SnapshotSource): Promise<SnapshotSummary>;
}

export interface SnapshotTotals {
  readonly entries: number;
  /** Files and streams. */
  readonly files: number;
  /** Size of all files and streams. */
  readonly bytes: number;
  /** Chunk references; a chunk used twice counts twice. */
  readonly chunks: number;
  /** Encoded bytes of the distinct chunks this backup had to add, with packs and index. */
  readonly newBytes: number;
  /** Encoded bytes of all distinct chunks, whether added or found. */
  readonly storedBytes: number;
}

export interface SnapshotSummary {
  readonly artefactPath: string;
  readonly createdAt: string;
  readonly totalBytes: number;
  readonly storedBytes: number;
  readonly newBytes: number;
  readonly chunks: number;
  readonly files: number;
}

/** One part of the index, as the manifest lists it. */
export interface IndexPart {
  /** Key relative to the artefact path. */
  readonly object: string;
  readonly size: number;
  readonly sha256: string;
  readonly encoding: 'raw' | 'zstd';
  readonly contentSize: number;
}

export interface SnapshotManifest {
  readonly formatVersion: number;
  readonly startedAt: string;
  readonly createdAt: string;
  readonly attributes: Readonly<Record<string, JsonValue>>;
  readonly totals: SnapshotTotals;
  /** How the ids of its chunks are made. */
  readonly chunkIds: ChunkIds;
  /** Id of the key it is encrypted with. */
  readonly keyId?: string;
  /** Where the packs lie, relative to the artefact path, so that a copied tree still restores. */
  readonly chunks: string;
  readonly index: readonly IndexPart[];
}

export interface ReadProgress {
  /** Bytes read, decoded and verified so far. */
  readonly bytesVerified: number;
  readonly totalBytes: number;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: ReadProgress) => void;
}

export interface RestoreOptions extends VerifyOptions {
  /** An empty or missing directory; its parent must exist. */
  readonly directory: string;
  /** Gives everything to this user and group, instead of the owners recorded (which only root can restore). */
  readonly ownership?: { readonly uid: number; readonly gid: number };
  /** Only these entries, with the directories they lie in; all unless told. Nothing else is read but the index. */
  readonly select?: (path: string) => boolean;
  /** Called before bytes are written to disk, and waited for. */
  readonly pace?: (bytes: number) => Promise<void>;
}

export interface ReadSummary {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
}

/** An entry with what it holds: nothing unless it is a file or stream. */
export interface EntryContent {
  readonly entry: EntryInfo;
  /** To be read, if at all, before the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** A complete snapshot, open for reading. Every byte it hands out has been verified. */
export interface Snapshot {
  /** Ends with `/`. */
  readonly artefactPath: string;
  readonly manifest: SnapshotManifest;
  /** In the order they were written. */
  entries(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<EntryInfo>;
  /** Reads, decodes and checks everything. @throws SnapshotError naming the first damaged object. */
  verify(options?: VerifyOptions): Promise<ReadSummary>;
  /**
   * Writes the tree; when it resolves all of it is on stable storage. Packs that are missing or have another size are
   * refused before anything is written. @throws SnapshotError
   */
  restoreTo(options: RestoreOptions): Promise<ReadSummary>;
  /** All entries in the order they were written, with what they hold. @throws SnapshotError `damaged` */
  contents(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<EntryContent>;
  /** The content of one file or stream. @throws SnapshotError `no-such-entry` */
  read(
    path: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncIterable<Uint8Array>;
}

export interface SnapshotInfo {
  /** Full prefix in the store, ends with `/`. */
  readonly artefactPath: string;
  readonly manifest: SnapshotManifest;
  readonly marks: SnapshotMarks;
}

/** A snapshot that was deleted; until the sweep it can be brought back. */
export interface DeletedSnapshot {
  readonly artefactPath: string;
  /** ISO 8601. */
  readonly deletedAt: string;
}

/** An artefact folder that is no complete snapshot this version can restore. */
export interface UnusableArtefact {
  readonly artefactPath: string;
  readonly code: 'incomplete' | 'not-a-backup' | 'newer-format' | 'damaged';
  readonly message: string;
  /** Attributes noted when the backup began, where they can be read. */
  readonly attributes?: Readonly<Record<string, JsonValue>>;
  readonly startedAt?: string;
  /** Where it is `incomplete`: what retention goes by. */
  readonly attempt?: FailedAttempt;
}

export interface SnapshotListing {
  /** Complete ones, oldest first by creation. */
  readonly snapshots: readonly SnapshotInfo[];
  /** Left by backups that were interrupted or still run, and folders that only look like a backup. */
  readonly unusable: readonly UnusableArtefact[];
  readonly deleted: readonly DeletedSnapshot[];
}
