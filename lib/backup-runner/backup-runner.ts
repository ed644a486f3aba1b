/**
 * Runs the jobs of one unit from its hooks: each reconcile reads the journal, plans, applies, and returns at once.
 * The work itself is done by detached worker processes; see worker-main.ts and README.md.
 */
import { join } from 'node:path';
import { type Rates, tellRates } from '#object-store';
import {
  acquireFileLock,
  type Clock,
  describeError,
  hasErrorCode,
  isProcessAlive,
  makePrivateDirectory,
} from '#system';
import { applyAction, type RunnerLog } from './apply-plan.ts';
import { handOver } from './hand-over.ts';
import { factsOf, recordOf } from './job-facts.ts';
import { ratesPath } from './job-pace.ts';
import type { JobRecord, JobSpec, RunnerReport } from './job-spec.ts';
import { type IsAlive, Journal, type JournalEntry } from './journal.ts';
import { type JobFacts, type Plan, planJobs } from './plan-jobs.ts';
import { type BackupPriority, priorityPrefix } from './priority.ts';
import { type Environment, workerEnvironment } from './worker-environment.ts';

/** Reconciles take milliseconds; one that takes longer is stuck, and its successor only reports. */
const LOCK_TIMEOUT_MS = 10_000;

export interface BackupRunnerOptions {
  /** The unit's own, private; survives upgrades of the charm. Created where missing. */
  readonly stateDirectory: string;
  /** Program and arguments that start the worker's entry, absolute. */
  readonly workerCommand: readonly string[];
  readonly unitName: string;
  readonly charmDir: string;
  /** The custom event workers fire: kebab-case. */
  readonly eventName: string;
  /** JSON for the worker's `createEngine`; may hold secrets. */
  readonly engineConfig: unknown;
  readonly clock: Clock;
  /** 1 where the engine cannot back up concurrently. */
  readonly maxConcurrentBackups: number;
  /** How fast jobs may go, from now on; also those that run. */
  readonly rates?: Rates;
  /** How much backups stand back for the database; `low` unless told. Jobs that run keep theirs. */
  readonly backupPriority?: BackupPriority;
  readonly log: RunnerLog;
  /** The hook's environment; that of this process unless told. */
  readonly environment?: Environment;
  /** For tests; looks into /proc unless told. */
  readonly isAlive?: IsAlive;
}

export interface ReconcileInput {
  /** Every job this unit has to run, in order of arrival; ended ones may still be among them. */
  readonly wanted: readonly JobSpec[];
  /** Job ids the ledger holds as committed: read from the databag, without writes of this hook. */
  readonly committedClaims: ReadonlySet<string>;
  /** Jobs of which nobody can tell at the moment whether they are wanted: what runs goes on, nothing is begun. */
  readonly undecided?: ReadonlySet<string>;
}

interface View {
  readonly entries: readonly JournalEntry[];
  readonly facts: readonly JobFacts[];
}

/** See the file's comment. One instance a hook; nothing is kept in memory between hooks. */
export class BackupRunner {
  readonly #options: BackupRunnerOptions;
  readonly #journal: Journal;
  readonly #isAlive: IsAlive;

  constructor(options: BackupRunnerOptions) {
    this.#options = options;
    this.#journal = new Journal(options.stateDirectory);
    this.#isAlive = options.isAlive ?? isProcessAlive;
  }

  /**
   * Brings what runs in line with what is wanted: claims, queues, starts, confirms, cancels, buries. Idempotent,
   * returns without waiting for any job. Two at once take turns; one that cannot get its turn only reports.
   */
  async reconcile(input: ReconcileInput): Promise<RunnerReport> {
    await this.#prepare();
    await using turn = await this.#takeTurn();
    if (turn === undefined) {
      this.#options.log.warning('another hook of this unit is stuck; only reporting');
    } else {
      await this.#apply(input);
    }
    return await this.#report();
  }

  /** Every job of the journal, in order of arrival. */
  async jobs(): Promise<readonly JobRecord[]> {
    return (await this.#report()).jobs;
  }

  /** Drops the records of these jobs where they have ended; their ids stay used up. */
  async forget(jobIds: Iterable<string>): Promise<void> {
    await this.#prepare();
    await using turn = await this.#takeTurn();
    if (turn === undefined) {
      return;
    }
    const ids = new Set(jobIds);
    const { entries, facts } = await this.#read();
    for (const [index, entry] of entries.entries()) {
      const state = facts[index];
      if (ids.has(entry.claim.jobId) && state !== undefined && mayBeForgotten(state)) {
        await this.#journal.forget(entry);
      }
    }
  }

  async #prepare(): Promise<void> {
    await makePrivateDirectory(this.#options.stateDirectory);
    await this.#journal.prepare();
  }

  async #takeTurn(): Promise<AsyncDisposable | undefined> {
    return await acquireFileLock(join(this.#options.stateDirectory, 'lock'), LOCK_TIMEOUT_MS);
  }

  async #read(): Promise<View> {
    const { entries, problems } = await this.#journal.read();
    for (const problem of problems) {
      this.#options.log.warning(problem);
    }
    return { entries, facts: entries.map((entry) => factsOf(entry, this.#isAlive)) };
  }

  async #apply(input: ReconcileInput): Promise<void> {
    const { entries, facts } = await this.#read();
    const plan = await this.#plan(input, facts);
    await tellRates(ratesPath(this.#options.stateDirectory), this.#options.rates ?? {});
    const { unitName, charmDir, eventName, engineConfig, clock, log } = this.#options;
    const { stateDirectory, workerCommand, environment } = this.#options;
    const context = {
      journal: this.#journal,
      entries: new Map(entries.map((entry) => [entry.claim.jobId, entry])),
      // Of two jobs with one id the first counts, here and in the plan.
      wanted: new Map(input.wanted.toReversed().map((spec) => [spec.jobId, spec])),
      program: {
        command: workerCommand,
        backupPrefix: priorityPrefix(this.#options.backupPriority ?? 'low'),
        environment: workerEnvironment(environment ?? process.env),
        directory: stateDirectory,
      },
      order: { stateDirectory, unitName, charmDir, eventName, engineConfig },
      now: clock.now().toISOString(),
      log,
    };
    await this.#handOverKeys(input.wanted, entries, facts);
    for (const action of plan.actions) {
      try {
        await applyAction(action, context);
      } catch (error) {
        if (!hasErrorCode(error, 'journal-damaged')) {
          throw error;
        }
        // One damaged record stops its own job only.
        log.warning(describeError(error), { jobId: action.jobId });
      }
    }
  }

  /** To workers that wait for newer ones. */
  async #handOverKeys(
    wanted: readonly JobSpec[],
    entries: readonly JournalEntry[],
    facts: readonly JobFacts[],
  ): Promise<void> {
    const running = new Map(
      entries
        .filter((_, index) => facts[index]?.stage === 'started')
        .map((entry) => [entry.claim.jobId, entry.files]),
    );
    for (const { jobId, storageConfig, refusal } of wanted) {
      const files = running.get(jobId);
      // With a refusal the keys could not be had, and what stands in their place is none.
      if (files !== undefined && refusal === undefined) {
        await handOver(files, storageConfig);
      }
    }
  }

  async #plan(input: ReconcileInput, facts: readonly JobFacts[]): Promise<Plan> {
    const known = new Set(facts.map(({ jobId }) => jobId));
    const forgotten = new Set<string>();
    for (const { jobId } of input.wanted) {
      if (!known.has(jobId) && (await this.#journal.isForgotten(jobId))) {
        forgotten.add(jobId);
      }
    }
    return planJobs({
      facts,
      wanted: input.wanted,
      committed: input.committedClaims,
      undecided: input.undecided ?? new Set(),
      forgotten,
      maxConcurrentBackups: this.#options.maxConcurrentBackups,
      now: this.#options.clock.now().getTime(),
    });
  }

  async #report(): Promise<RunnerReport> {
    const { entries, facts } = await this.#read();
    // As if all were wanted: who waits for whom does not depend on it.
    const { waitsFor } = planJobs({
      facts,
      wanted: facts,
      committed: new Set(),
      undecided: new Set(),
      forgotten: new Set(),
      maxConcurrentBackups: this.#options.maxConcurrentBackups,
      now: this.#options.clock.now().getTime(),
    });
    const queue = new Map(
      [...waitsFor].map(([jobId, jobIds], index) => [
        jobId,
        { position: index + 1, waitsFor: jobIds },
      ]),
    );
    const jobs = entries.flatMap((entry, index) => {
      const state = facts[index];
      return state === undefined ? [] : [recordOf(entry, state, queue.get(entry.claim.jobId))];
    });
    return {
      jobs,
      claimed: jobs.filter(isOpen).map(({ jobId }) => jobId),
    };
  }
}

function mayBeForgotten(facts: JobFacts): boolean {
  const { pending, workerLives } = facts.recovery;
  return facts.stage === 'finished' && !pending && !workerLives;
}

function isOpen({ state }: JobRecord): boolean {
  return state !== 'success' && state !== 'error';
}
