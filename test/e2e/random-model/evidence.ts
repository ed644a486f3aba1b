/**
 * What the units of a database leave on disk about their jobs, looked at all the time: the durable record of who ran
 * what. A record lives through at least two more dispatches after its end, so looking several times a second misses none.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isProcessAlive, systemClock } from '#system';
import type { Claim, Gate, Result } from '../../../lib/backup-runner/job-files.ts';

const LOOK_EVERY_MS = 200;

export interface SeenJob {
  readonly unit: string;
  readonly claim: Claim;
  /** Name of its directory among those of the unit. */
  readonly directory: string;
  /** When it was first seen; ms on `performance.now()`. */
  readonly seenAt: number;
  gate?: Gate | undefined;
  result?: Result | undefined;
  /** Its record went before its end was read: with the relation that had asked, a moment after it ended. */
  isUntold?: boolean | undefined;
}

/** Where a unit keeps its jobs. */
export interface JobPlace {
  readonly unit: string;
  readonly directory: string;
}

export class Evidence {
  /** By job id. */
  readonly jobs = new Map<string, SeenJob>();
  readonly violations: string[] = [];
  readonly #places: () => readonly JobPlace[];
  readonly #stop = new AbortController();
  #looking: Promise<void> | undefined;
  #loop: Promise<void> | undefined;

  constructor(places: () => readonly JobPlace[]) {
    this.#places = places;
  }

  start(): void {
    this.#loop = this.#lookOn();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Looks now; a look that began before does not count. */
  async look(): Promise<void> {
    await this.#looking;
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** Jobs that unit has taken and not ended. */
  open(unit: string): readonly SeenJob[] {
    return [...this.jobs.values()].filter((job) => job.unit === unit && isOpen(job));
  }

  async #lookOn(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.look();
      await systemClock.sleep(LOOK_EVERY_MS);
    }
  }

  async #lookOnce(): Promise<void> {
    for (const { unit, directory } of this.#places()) {
      const names = await readdir(directory).catch(() => []);
      const found = new Set<string | undefined>();
      for (const name of names) {
        found.add(await this.#lookAt(unit, join(directory, name)));
      }
      for (const job of this.open(unit)) {
        // The unit keeps a mark of each; a record that goes without one is lost, and its job never ends here.
        const mark = join(directory, '..', 'forgotten', job.directory);
        job.isUntold = !found.has(job.claim.jobId) && existsSync(mark);
      }
      await this.#mustBeCompatible(unit, directory);
    }
  }

  /** @returns the job it is of */
  async #lookAt(unit: string, directory: string): Promise<string | undefined> {
    const claim = await read<Claim>(join(directory, 'claim.json'));
    if (claim === undefined) {
      return undefined;
    }
    const job = this.jobs.get(claim.jobId) ?? {
      unit,
      claim,
      directory: basename(directory),
      seenAt: performance.now(),
    };
    this.jobs.set(claim.jobId, job);
    const gate = await read<Gate>(join(directory, 'gate.json'));
    if (gate !== undefined) {
      this.#mustRunOnce(job, unit, gate);
      job.gate ??= gate;
    }
    job.result ??= await read<Result>(join(directory, 'result.json'));
    return claim.jobId;
  }

  #mustRunOnce({ claim, gate, unit: first }: SeenJob, unit: string, now: Gate): void {
    const hasRun = gate?.by === 'worker';
    const isSame = hasRun && now.by === 'worker' && gate.token === now.token && first === unit;
    if (hasRun && now.by === 'worker' && !isSame) {
      this.violations.push(`${claim.jobId} ran on ${first} and again on ${unit}`);
    }
  }

  async #mustBeCompatible(unit: string, directory: string): Promise<void> {
    const together = this.open(unit).filter(isRunning);
    if (together.length < 2 || together.every(({ claim }) => claim.jobType === 'backup')) {
      return;
    }
    // One may have ended, and another begun, while they were read one after the other.
    for (const name of await readdir(directory).catch(() => [])) {
      await this.#lookAt(unit, join(directory, name));
    }
    const still = together.filter((job) => job.result === undefined && isRunning(job));
    if (still.length > 1 && still.some(({ claim }) => claim.jobType === 'restore')) {
      const names = still.map(({ claim }) => `${claim.jobType} ${claim.jobId}`).join(' and ');
      this.violations.push(`${unit} runs together ${names}`);
    }
  }
}

function isOpen({ result, isUntold }: SeenJob): boolean {
  return result === undefined && isUntold !== true;
}

function isRunning({ gate }: SeenJob): boolean {
  return gate?.by === 'worker' && isProcessAlive(gate.identity);
}

// Files appear whole, and go with their job.
async function read<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}
