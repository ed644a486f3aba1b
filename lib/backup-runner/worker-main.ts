/**
 * The worker: one detached process that performs one job, or one recovery. The only place of this area that reads
 * the process's environment, input and signals, and that ends the process.
 */
import { text } from 'node:stream/consumers';
import type { StorageConfig } from '#database-backup';
import type { Engine } from '#engines';
import {
  type CredentialsPatience,
  type CredentialsSource,
  createS3ObjectStore,
  type ObjectStore,
  parseS3Options,
} from '#object-store';
import { type Clock, systemClock } from '#system';
import { JobStoppedError } from './failures.ts';
import { Worker } from './worker.ts';
import { parseWorkerOrder } from './worker-order.ts';
import { type WorkerTimings, workerTimings } from './worker-timings.ts';

export interface WorkerOptions {
  /** Makes the engine from the configuration the runner was given. Import its code statically: see README.md. */
  readonly createEngine: (config: unknown) => Engine;
  /** The S3 store of the configuration unless told. */
  readonly createStore?: CreateStore;
  readonly clock?: Clock;
  readonly timings?: Partial<WorkerTimings>;
}

export type ClosableStore = ObjectStore & { close?(): void };

/** `keys` gives those of the configuration first, and each time it is asked again newer ones, if there are any. */
export type CreateStore = (
  config: StorageConfig,
  keys: CredentialsSource,
  patience: CredentialsPatience,
) => ClosableStore;

/** Runs the job that lies on standard input to its end, then ends the process. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const cancel = new AbortController();
  const stop = (): void => cancel.abort(new JobStoppedError());
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // It has no terminal; whoever closes one does not mean it.
  process.on('SIGHUP', () => undefined);
  const order = parseWorkerOrder(await text(process.stdin));
  const worker = new Worker({
    order,
    createEngine: options.createEngine,
    createStore: options.createStore ?? createStore,
    clock: options.clock ?? systemClock,
    timings: { ...workerTimings, ...options.timings },
    env: process.env,
    signal: cancel.signal,
  });
  process.once('uncaughtException', (error) => {
    void endAfterCrash(worker, error);
  });
  await worker.run();
  // Whatever a library still has open must not keep the process alive.
  process.exit(0);
}

const createStore: CreateStore = (config, credentials, patience) =>
  createS3ObjectStore(parseS3Options(config), { credentials, patience });

async function endAfterCrash(worker: Worker, error: unknown): Promise<void> {
  // A second crash while the first is being recorded: the next hook finds a dead worker.
  process.once('uncaughtException', () => process.exit(1));
  try {
    await worker.crash(error);
  } finally {
    process.exit(1);
  }
}
