/** What the charm reaches outside Juju, so that tests put something else in its place. */
import { extname, join } from 'node:path';
import { BackupRunner, type BackupRunnerOptions } from '#backup-runner';
import { type Clock, runProcess, systemClock } from '#system';
import { type Database, PostgresqlDatabase } from './database.ts';
import type { Runner } from './job-desk.ts';
import { STATE_ROOT, type UnitHome } from './unit-home.ts';

export interface Ports {
  readonly stateRoot: string;
  readonly clock: Clock;
  createDatabase(home: UnitHome): Database;
  createRunner(options: Omit<BackupRunnerOptions, 'workerCommand'>): Runner;
}

/** The real machine. */
export function realPorts(): Ports {
  return {
    stateRoot: STATE_ROOT,
    clock: systemClock,
    createDatabase: (home) => new PostgresqlDatabase(home, runProcess),
    createRunner: (options) => new BackupRunner({ ...options, workerCommand: workerCommand() }),
  };
}

/** The worker's entry lies beside that of the charm: `worker.ts` in the source, `worker.js` where packed. */
function workerCommand(): readonly string[] {
  const isSource = extname(import.meta.filename) === '.ts';
  const program = join(import.meta.dirname, isSource ? 'worker.ts' : 'worker.js');
  return [process.execPath, SMALL_NURSERY, program];
}

/** What a worker moves lies outside of the heap, so it is quick to collect. */
const SMALL_NURSERY = '--max-semi-space-size=2';
