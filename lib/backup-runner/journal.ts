/** The journal of a unit: what it claimed, how it stands, and what it has forgotten but must not run again. */
import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  createFileExclusive,
  describeError,
  hasErrorCode,
  makePrivateDirectory,
  type ProcessIdentity,
  readFileIfExists,
} from '#system';
import {
  type Claim,
  type Confirmation,
  type Failure,
  type Gate,
  JobFiles,
  jobDirectoryName,
  type ProgressNote,
  type Recovered,
  type Registration,
  type Result,
  type StopNote,
  type Suspicion,
} from './job-files.ts';

/** Everything the journal holds about one job. */
export interface JournalEntry {
  readonly files: JobFiles;
  readonly claim: Claim;
  readonly workers: readonly Registration[];
  readonly recoveries: readonly Registration[];
  readonly confirmation?: Confirmation;
  readonly gate?: Gate;
  readonly failure?: Failure;
  readonly progress?: ProgressNote;
  readonly stop?: Required<StopNote>;
  readonly suspicion?: Suspicion;
  readonly result?: Result;
  readonly recovered?: Recovered;
}

export interface JournalContent {
  /** In order of arrival. */
  readonly entries: readonly JournalEntry[];
  /** What could not be read, in words for a log. Such jobs are never run. */
  readonly problems: readonly string[];
}

/** Reads 64 directories at a time: a long history must not run into the limit of open files. */
const READ_BATCH = 64;

export type IsAlive = (identity: ProcessIdentity) => boolean;

export class Journal {
  readonly #jobs: string;
  readonly #forgotten: string;
  /** By directory: what has ended does not change any more, and there may be thousands. */
  readonly #ended = new Map<string, JournalEntry>();

  constructor(stateDirectory: string) {
    this.#jobs = join(stateDirectory, 'jobs');
    this.#forgotten = join(stateDirectory, 'forgotten');
  }

  async prepare(): Promise<void> {
    await makePrivateDirectory(this.#jobs);
    await makePrivateDirectory(this.#forgotten);
  }

  files(jobId: string): JobFiles {
    return new JobFiles(join(this.#jobs, jobDirectoryName(jobId)));
  }

  async read(): Promise<JournalContent> {
    const names = await listDirectory(this.#jobs);
    const entries: JournalEntry[] = [];
    const problems: string[] = [];
    for (let start = 0; start < names.length; start += READ_BATCH) {
      const batch = names.slice(start, start + READ_BATCH);
      await Promise.all(
        batch.map(async (name) => {
          try {
            entries.push(...(await this.#readEntry(name)));
          } catch (error) {
            problems.push(describeError(error));
          }
        }),
      );
    }
    return {
      entries: entries.toSorted((left, right) => left.claim.sequence - right.claim.sequence),
      problems,
    };
  }

  async #readEntry(name: string): Promise<JournalEntry[]> {
    const known = this.#ended.get(name);
    if (known !== undefined) {
      return [known];
    }
    const files = new JobFiles(join(this.#jobs, name));
    const result = await files.result();
    if (result !== undefined && result.recoveryPending !== true) {
      const ended = endedEntry(files, result);
      this.#ended.set(name, ended);
      return [ended];
    }
    const claim = await files.claim();
    return claim === undefined ? [] : [await readOpenEntry(files, claim)];
  }

  /** Removes the record of a job for good, keeping only that its id is used up. */
  async forget(entry: JournalEntry): Promise<void> {
    const { directory } = entry.files;
    await createFileExclusive(join(this.#forgotten, basename(directory)), '');
    await rm(directory, { recursive: true, force: true });
  }

  async isForgotten(jobId: string): Promise<boolean> {
    const path = join(this.#forgotten, jobDirectoryName(jobId));
    return (await readFileIfExists(path)) !== undefined;
  }
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return [];
    }
    throw error;
  }
}

const NONE: readonly Registration[] = [];

function endedEntry(files: JobFiles, result: Result): JournalEntry {
  const { claim } = result;
  return { files, claim, workers: NONE, recoveries: NONE, result };
}

async function readOpenEntry(files: JobFiles, claim: Claim): Promise<JournalEntry> {
  // The order matters: what is written later is read later, so no two answers contradict each other.
  const workers = await files.registrations('worker');
  const recoveries = await files.registrations('recovery');
  const confirmation = await files.confirmation();
  const gate = await files.gate();
  const progress = await files.progress();
  const stop = await files.stopNote();
  const suspicion = await files.suspicion();
  const failure = await files.failure();
  const result = await files.result();
  const recovered = await files.recovered();
  return {
    files,
    claim,
    workers,
    recoveries,
    ...(stop === undefined ? {} : { stop }),
    ...(suspicion === undefined ? {} : { suspicion }),
    ...(confirmation === undefined ? {} : { confirmation }),
    ...(gate === undefined ? {} : { gate }),
    ...(failure === undefined ? {} : { failure }),
    ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result }),
    ...(recovered === undefined ? {} : { recovered }),
  };
}
