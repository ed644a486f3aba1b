/** The process of one upkeep: reads its order, does the work, leaves a record, tells the charm. */
import { text } from 'node:stream/consumers';
import {
  createS3ObjectStore,
  followRates,
  type ObjectStore,
  parseS3Options,
  withRateLimit,
} from '#object-store';
import { fireCustomEvent } from '#ops';
import {
  type Clock,
  describeError,
  HintError,
  hasErrorCode,
  identifyProcess,
  systemClock,
} from '#system';
import { performUpkeep } from './perform-upkeep.ts';
import { RecordFiles } from './record-files.ts';
import type { UpkeepOrder, UpkeepRecord } from './upkeep.ts';

const WRITE_EVERY_MS = 2000;
const RETRY_DELAYS_MS = [5000, 30_000, 120_000];

interface RunUpkeepOptions {
  readonly order: UpkeepOrder;
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tells the charm; may fail. */
  readonly tell: () => Promise<void>;
}

/** Performs what standard input says, then ends the process. */
export async function runUpkeep(): Promise<void> {
  const cancel = new AbortController();
  const stop = (): void => {
    const hint = 'begin it again when you like';
    cancel.abort(new HintError('it was cancelled', { code: 'cancelled', hint }));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // It has no terminal; whoever closes one does not mean it.
  process.on('SIGHUP', () => undefined);
  const order = JSON.parse(await text(process.stdin)) as UpkeepOrder;
  const rates = followRates(order.ratesPath, systemClock);
  await upkeep({
    order,
    store: withRateLimit(createS3ObjectStore(parseS3Options(order.storageConfig)), {
      bytesPerSecond: () => rates().network,
    }),
    clock: systemClock,
    signal: cancel.signal,
    tell: async () => await fireCustomEvent(order),
  });
  // Whatever a library still has open must not keep the process alive.
  process.exit(0);
}

/** The same, with everything outside given. Never throws for what the work does. */
async function upkeep(options: RunUpkeepOptions): Promise<void> {
  const { order, clock } = options;
  const files = new RecordFiles(order.directory);
  const { id, task } = order;
  const identity = identifyProcess(process.pid);
  const begun: UpkeepRecord = {
    id,
    kind: task.kind,
    subject: task.subject,
    state: 'running',
    startedAt: (await files.read(id))?.startedAt ?? clock.now().toISOString(),
    ...(identity === undefined ? {} : { process: identity }),
  };
  await files.write(begun);
  const progress = new ProgressWriter(files, begun, clock);
  const outcome = await attempt(options, progress);
  await progress.settle();
  try {
    const finishedAt = clock.now().toISOString();
    await files.write({ ...progress.record, ...outcome, finishedAt });
  } catch (error) {
    // The unit is gone, and its directory with it.
    if (hasErrorCode(error, 'ENOENT')) {
      return;
    }
    throw error;
  }
  await tellCharm(options);
}

async function attempt(
  { order, store, clock, signal }: RunUpkeepOptions,
  progress: ProgressWriter,
): Promise<Partial<UpkeepRecord>> {
  try {
    const outcome = await performUpkeep(order.task, {
      store,
      passphrases: order.passphrases,
      clock,
      signal,
      onProgress: (now) => progress.note(now),
      log: (line) => console.log(`${clock.now().toISOString()} ${line}`),
    });
    return { state: 'success', ...outcome };
  } catch (error) {
    const cause: unknown = signal.aborted ? signal.reason : error;
    return cause instanceof HintError
      ? { state: 'error', message: cause.message, errorCode: cause.code, hint: cause.hint }
      : { state: 'error', message: describeError(cause), errorCode: 'failed' };
  }
}

async function tellCharm({ tell, clock }: RunUpkeepOptions): Promise<void> {
  for (const delayMs of [...RETRY_DELAYS_MS, undefined]) {
    try {
      // One attempt after the other.
      // oxlint-disable-next-line no-await-in-loop
      await tell();
      return;
    } catch (error) {
      console.log(`cannot tell the charm; it finds the result later: ${describeError(error)}`);
    }
    if (delayMs !== undefined) {
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(delayMs);
    }
  }
}

/** Writes progress down, not too often and one write at a time. */
class ProgressWriter {
  record: UpkeepRecord;
  readonly #files: RecordFiles;
  readonly #clock: Clock;
  #writtenAt = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(files: RecordFiles, record: UpkeepRecord, clock: Clock) {
    this.#files = files;
    this.record = record;
    this.#clock = clock;
  }

  note(progress: { readonly bytes: number; readonly totalBytes: number }): void {
    this.record = { ...this.record, ...progress };
    const now = this.#clock.now().getTime();
    if (now - this.#writtenAt >= WRITE_EVERY_MS) {
      this.#writtenAt = now;
      const { record } = this;
      this.#writing = this.#writing.then(async () => await this.#write(record));
    }
  }

  /** Resolves when nothing is being written any more. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  // A full disk must not end a verification.
  async #write(record: UpkeepRecord): Promise<void> {
    try {
      await this.#files.write(record);
    } catch (error) {
      console.log(`cannot write progress down: ${describeError(error)}`);
    }
  }
}
