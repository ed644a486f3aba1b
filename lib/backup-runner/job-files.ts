/** What lies in the directory of one job, and the only code that reads and writes it. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobProgress, JobType } from '#database-backup';
import {
  createFileExclusive,
  HintError,
  makePrivateDirectory,
  type ProcessIdentity,
  readFileIfExists,
  syncDirectory,
  writeFileAtomic,
} from '#system';
import type { StopReason } from './deadlines.ts';
import { readLogTail } from './job-log.ts';
import type { JobPhase } from './job-spec.ts';

/** `claim.json`: this unit took the job. Created once, never changed. */
export interface Claim {
  readonly jobId: string;
  readonly jobType: JobType;
  readonly compression: boolean;
  readonly artefactPath?: string;
  readonly requestedAt?: string;
  readonly isDryRun?: boolean;
  readonly undoOf?: string;
  readonly isEncrypted?: boolean;
  readonly items?: readonly string[];
  readonly claimedAt: string;
  /** Order of arrival on this unit. */
  readonly sequence: number;
}

/** `worker-TOKEN.json`, `recovery-TOKEN.json`: a process was started; the identity follows. */
export interface Registration {
  readonly token: string;
  readonly startedAt: string;
  readonly identity?: ProcessIdentity;
  /** Why it gave up before anything began. */
  readonly gaveUp?: string;
}

/** `confirmed.json`: the one worker that may go through the gate. */
export interface Confirmation {
  readonly token: string;
}

/** How a job ended without success. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/**
 * `gate.json`, created once: whoever creates it decides the fate of the job. A worker does so to begin,
 * the runner to make sure that nobody ever begins. This is what makes a job run at most once.
 */
export type Gate =
  | {
      readonly by: 'worker';
      readonly token: string;
      readonly identity: ProcessIdentity;
      readonly startedAt: string;
    }
  | { readonly by: 'runner'; readonly failure: Failure; readonly at: string };

/** `progress.json`, replaced every few seconds by the worker. */
export interface ProgressNote extends Partial<JobProgress> {
  readonly phase: JobPhase;
  /** When the worker last lived, and when its work last moved. */
  readonly heartbeatAt: string;
  readonly progressedAt: string;
}

/** How a job ended, before what the journal adds of its own. */
export type Outcome =
  | {
      readonly status: 'success';
      readonly artefactPath: string;
      readonly size: number;
      readonly newBytes?: number;
      readonly keyId?: string;
      readonly message?: string;
      /** What a dry run found. */
      readonly report?: string;
      /** Until when what a restore replaced can be brought back; ISO 8601, UTC. */
      readonly undoableUntil?: string;
    }
  | { readonly status: 'error'; readonly failure: Failure };

/** `result.json`, created once. Tells all there is to tell, so nothing else of an ended job is read. */
export interface Result {
  readonly claim: Claim;
  readonly outcome: Outcome;
  readonly startedAt?: string;
  readonly finishedAt: string;
  /** Whether the database must still be brought back to order. */
  readonly recoveryPending?: boolean;
  /** The last lines of the log of a job that failed. */
  readonly logTail?: readonly string[];
}

/** `cancel.json`, created once: somebody asked the worker to stop. */
export interface StopNote {
  readonly at: string;
  /** Missing where an older version wrote it: then the request was withdrawn. */
  readonly reason?: StopReason;
}

/** `suspect.json`: at that time the worker had given no sign of life since `heartbeatAt`. */
export interface Suspicion {
  readonly at: string;
  readonly heartbeatAt: string;
}

/** `recovered.json`: the recovery a result had left open has been done. */
export interface Recovered {
  readonly outcome: string;
  readonly at: string;
}

/** The name of a job's directory: job ids are foreign strings and never become part of a path. */
export function jobDirectoryName(jobId: string): string {
  // JSON text tells apart what UTF-8 cannot (lone surrogates).
  return createHash('sha256').update(JSON.stringify(jobId)).digest('hex').slice(0, 40);
}

/** One job's directory. Every write is atomic and durable. */
export class JobFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** @returns false when the job has been claimed before */
  async createClaim(claim: Claim): Promise<boolean> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await syncDirectory(join(this.directory, '..'));
    return await this.#create('claim.json', claim);
  }

  async claim(): Promise<Claim | undefined> {
    return await this.#read<Claim>('claim.json');
  }

  async register(kind: WorkerKind, registration: Registration): Promise<void> {
    await this.#replace(`${kind}-${registration.token}.json`, registration);
  }

  /** In order of their start. */
  async registrations(kind: WorkerKind): Promise<Registration[]> {
    const names = (await readdir(this.directory)).filter(
      (name) => name.startsWith(`${kind}-`) && name.endsWith('.json'),
    );
    const all = await Promise.all(names.map(async (name) => await this.#read<Registration>(name)));
    return all
      .filter((registration) => registration !== undefined)
      .toSorted((left, right) => (left.startedAt < right.startedAt ? -1 : 1));
  }

  async confirm(token: string): Promise<void> {
    await this.#replace('confirmed.json', { token } satisfies Confirmation);
  }

  async confirmation(): Promise<Confirmation | undefined> {
    return await this.#read<Confirmation>('confirmed.json');
  }

  /** @returns false when the fate of the job is decided already */
  async createGate(gate: Gate): Promise<boolean> {
    return await this.#create('gate.json', gate);
  }

  async gate(): Promise<Gate | undefined> {
    return await this.#read<Gate>('gate.json');
  }

  /** @returns false when it was asked to stop before */
  async noteStop(note: StopNote): Promise<boolean> {
    return await this.#create('cancel.json', note);
  }

  async stopNote(): Promise<Required<StopNote> | undefined> {
    const note = await this.#read<StopNote>('cancel.json');
    return note === undefined ? undefined : { reason: 'withdrawn', ...note };
  }

  async suspect(suspicion: Suspicion): Promise<void> {
    await this.#replace('suspect.json', suspicion);
  }

  async suspicion(): Promise<Suspicion | undefined> {
    return await this.#read<Suspicion>('suspect.json');
  }

  async writeProgress(note: ProgressNote): Promise<void> {
    await this.#replace('progress.json', note);
  }

  async progress(): Promise<ProgressNote | undefined> {
    return await this.#read<ProgressNote>('progress.json');
  }

  /** Notes why a restore stopped in the middle; its database needs recovery. */
  async writeFailure(failure: Failure): Promise<void> {
    await this.#create('failure.json', failure);
  }

  async failure(): Promise<Failure | undefined> {
    return await this.#read<Failure>('failure.json');
  }

  /** Adds the end of the log where the job failed. @returns false when the job has a result already */
  async createResult(result: Result): Promise<boolean> {
    const logTail = result.outcome.status === 'error' ? await readLogTail(this.logPath) : [];
    return await this.#create(
      'result.json',
      logTail.length === 0 ? result : { ...result, logTail },
    );
  }

  async result(): Promise<Result | undefined> {
    return await this.#read<Result>('result.json');
  }

  async writeRecovered(recovered: Recovered): Promise<void> {
    await this.#replace('recovered.json', recovered);
  }

  async recovered(): Promise<Recovered | undefined> {
    return await this.#read<Recovered>('recovered.json');
  }

  /** The job's own log, JSON lines. */
  get logPath(): string {
    return join(this.directory, 'log.jsonl');
  }

  /** Standard output and error of its workers: empty unless something crashed. */
  get outputPath(): string {
    return join(this.directory, 'output.log');
  }

  /** An empty private directory for the engine's small files. */
  async makeScratchDirectory(): Promise<string> {
    const path = join(this.directory, 'scratch');
    await rm(path, { recursive: true, force: true });
    await makePrivateDirectory(path);
    return path;
  }

  async removeScratchDirectory(): Promise<void> {
    await rm(join(this.directory, 'scratch'), { recursive: true, force: true });
  }

  async #create(name: string, value: object): Promise<boolean> {
    return await createFileExclusive(join(this.directory, name), encode(value));
  }

  async #replace(name: string, value: object): Promise<void> {
    await writeFileAtomic(join(this.directory, name), encode(value));
  }

  async #read<T extends object>(name: string): Promise<T | undefined> {
    const path = join(this.directory, name);
    const text = await readFileIfExists(path);
    return text === undefined ? undefined : (decode(text, path) as T);
  }
}

/** `worker` runs the job; `recovery` mends a database after a worker's death. */
export type WorkerKind = 'worker' | 'recovery';

function encode(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

function decode(text: string, path: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) {
      return value;
    }
  } catch {
    // Falls through: the position in a damaged file helps nobody.
  }
  throw new HintError(`cannot read ${path}: it is damaged`, {
    code: 'journal-damaged',
    hint: 'the disk or somebody altered it; look at the file, and remove its directory if the job no longer matters',
  });
}
