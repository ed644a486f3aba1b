/** The life of one worker, from its registration to the last event. */
import type { StorageConfig } from '#database-backup';
import type { Engine } from '#engines';
import type { ObjectStore } from '#object-store';
import { fireCustomEvent } from '#ops';
import { type Clock, identifyProcess, type ProcessIdentity } from '#system';
import { passGate, waitForPermission } from './confirmation.ts';
import { armDeadMansSwitch } from './dead-mans-switch.ts';
import { EventNotifier } from './event-notifier.ts';
import { failureOf, RecoveryNeededError } from './failures.ts';
import type { Failure, JobFiles, Outcome, Registration } from './job-files.ts';
import { type JobLog, openJobLog } from './job-log.ts';
import type { JobSpec } from './job-spec.ts';
import { Journal } from './journal.ts';
import { performBackup } from './perform-backup.ts';
import { performRecovery } from './perform-recovery.ts';
import { performRestore } from './perform-restore.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { createRedactor, type Redact } from './redact.ts';
import type { WorkerOrder } from './worker-order.ts';
import type { WorkerTimings } from './worker-timings.ts';

export interface WorkerDependencies {
  readonly order: WorkerOrder;
  readonly createEngine: (config: unknown) => Engine;
  readonly createStore: (config: StorageConfig) => ObjectStore & { close?(): void };
  readonly clock: Clock;
  readonly timings: WorkerTimings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the worker is asked to stop; its reason says by whom. */
  readonly signal: AbortSignal;
}

export class Worker {
  readonly #it: WorkerDependencies;
  readonly #files: JobFiles;
  readonly #redact: Redact;
  readonly #log: JobLog;
  readonly #notifier: EventNotifier;
  #reporter: ProgressReporter | undefined;

  constructor(dependencies: WorkerDependencies) {
    const { order, clock, timings } = dependencies;
    this.#it = dependencies;
    const jobId = order.mode === 'run' ? order.spec.jobId : order.jobId;
    this.#files = new Journal(order.stateDirectory).files(jobId);
    const storage = order.mode === 'run' ? order.spec.storageConfig : {};
    this.#redact = createRedactor(storage, order.engineConfig);
    this.#log = openJobLog(this.#files.logPath, clock, this.#redact);
    this.#notifier = new EventNotifier({
      fire: async () => await this.#fire(),
      clock,
      log: this.#log,
      intervalMs: timings.progressMs,
      retryDelaysMs: timings.finishDelaysMs,
    });
  }

  /** Resolves when the job has ended and the charm knows, or when the job is none of ours. */
  async run(): Promise<void> {
    const { order, env } = this.#it;
    const identity = await this.#register();
    const watch = await armDeadMansSwitch({ ...order, env });
    if (order.mode === 'recover') {
      await this.#recover();
    } else {
      await this.#runJob(order.spec, identity);
    }
    watch.disarm();
    this.#log.close();
  }

  /** Records an error nobody caught, as far as that can still be done. */
  async crash(error: unknown): Promise<void> {
    const failure = failureOf(error, this.#redact);
    this.#log.error('the worker crashed', { ...failure });
    if (this.#reporter !== undefined && this.#it.order.mode === 'run') {
      const crash = { ...failure, message: `its worker crashed: ${failure.message}` };
      await this.#recordError(this.#it.order.spec, crash, this.#mayNeedRecovery());
      await this.#notifier.finish();
    }
  }

  /** Before anything else: from here on hooks know that somebody is at work. */
  async #register(): Promise<ProcessIdentity> {
    const identity = identifyProcess(process.pid);
    if (identity === undefined) {
      throw new Error('cannot register the worker: /proc does not show this process');
    }
    await this.#files.register(this.#kind, { ...this.#registration(), identity });
    return identity;
  }

  get #kind(): 'worker' | 'recovery' {
    return this.#it.order.mode === 'run' ? 'worker' : 'recovery';
  }

  #registration(): Registration {
    return { token: this.#it.order.token, startedAt: this.#now() };
  }

  async #recover(): Promise<void> {
    const { order, createEngine, clock, timings } = this.#it;
    await performRecovery({
      files: this.#files,
      createEngine: () => createEngine(order.engineConfig),
      clock,
      log: this.#log,
      redact: this.#redact,
      delaysMs: timings.recoveryDelaysMs,
    });
    await this.#notifier.finish();
  }

  async #runJob(spec: JobSpec, identity: ProcessIdentity): Promise<void> {
    const { order, clock, timings, signal } = this.#it;
    const refusal = await waitForPermission({
      files: this.#files,
      token: order.token,
      fire: async () => await this.#fire(signal),
      clock,
      log: this.#log,
      signal,
      delaysMs: timings.confirmDelaysMs,
    });
    if (refusal !== undefined) {
      const gaveUp = failureOf(refusal, this.#redact).message;
      this.#log.warning('given up before anything began', { reason: gaveUp });
      await this.#files.register('worker', { ...this.#registration(), gaveUp });
      return;
    }
    if (await passGate(this.#files, order.token, identity, this.#now())) {
      await this.#conclude(spec);
      await this.#notifier.finish();
    }
  }

  async #conclude(spec: JobSpec): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#perform(spec);
    } catch (error) {
      const failure = await this.#explain(spec, error);
      await this.#recordError(spec, failure, error instanceof RecoveryNeededError);
      return;
    }
    await this.#recordOutcome(spec, outcome);
  }

  async #perform(spec: JobSpec): Promise<Outcome> {
    const { order, clock, timings, signal } = this.#it;
    const files = this.#files;
    const log = this.#log;
    await using reporter = new ProgressReporter({
      files,
      notifier: this.#notifier,
      clock,
      log,
      intervalMs: timings.progressMs,
    });
    this.#reporter = reporter;
    log.info(`${spec.jobType} begins`, { jobId: spec.jobId });
    const engine = this.#it.createEngine(order.engineConfig);
    const store = this.#it.createStore(spec.storageConfig);
    const context = { spec, engine, store, files, reporter, log, clock, signal };
    try {
      return spec.jobType === 'restore'
        ? await performRestore(context)
        : await this.#orGiveUp(performBackup(context));
    } finally {
      store.close?.();
    }
  }

  /** A cancelled backup that does not end is left behind: nothing of it counts without its manifest. */
  async #orGiveUp(backup: Promise<Outcome>): Promise<Outcome> {
    const { signal, clock, timings } = this.#it;
    const over = new AbortController();
    const givenUp = async (): Promise<Outcome> => {
      await aborted(signal, over.signal);
      await clock.sleep(timings.cancelGraceMs, over.signal);
      throw signal.reason;
    };
    try {
      return await Promise.race([backup, givenUp()]);
    } finally {
      over.abort();
    }
  }

  async #explain(spec: JobSpec, error: unknown): Promise<Failure> {
    const { signal } = this.#it;
    if (!signal.aborted || this.#isPastCancel() || error instanceof RecoveryNeededError) {
      return failureOf(error, this.#redact);
    }
    const reason = (await this.#files.isCancelNoted())
      ? 'the request was withdrawn'
      : failureOf(signal.reason, this.#redact).message;
    const state = spec.jobType === 'restore' ? '; the database was not touched' : '';
    return { code: 'cancelled', message: `${spec.jobType} cancelled: ${reason}${state}` };
  }

  #isPastCancel(): boolean {
    const phase = this.#reporter?.phase;
    return phase === 'swapping' || phase === 'cleaning-up';
  }

  #mayNeedRecovery(): boolean {
    return this.#it.order.mode === 'run' && this.#it.order.spec.jobType === 'restore';
  }

  async #recordOutcome(spec: JobSpec, outcome: Outcome): Promise<void> {
    const [claim, gate] = [await this.#files.claim(), await this.#files.gate()];
    if (claim === undefined) {
      this.#log.error('the record of the job is gone', { jobId: spec.jobId });
      return;
    }
    await this.#files.createResult({
      claim,
      outcome,
      ...(gate?.by === 'worker' ? { startedAt: gate.startedAt } : {}),
      finishedAt: this.#now(),
    });
  }

  async #recordError(spec: JobSpec, failure: Failure, needsRecovery: boolean): Promise<void> {
    this.#log.error(failure.message, { code: failure.code, hint: failure.hint });
    if (needsRecovery) {
      await this.#files.writeFailure(failure);
    } else {
      await this.#recordOutcome(spec, { status: 'error', failure });
    }
  }

  async #fire(signal?: AbortSignal): Promise<void> {
    const { unitName, charmDir, eventName } = this.#it.order;
    await fireCustomEvent({
      unitName,
      charmDir,
      eventName,
      env: this.#it.env,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  #now(): string {
    return this.#it.clock.now().toISOString();
  }
}

/** Resolves when `signal` aborts; rejects when `over` does first. */
async function aborted(signal: AbortSignal, over: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
    over.addEventListener('abort', () => reject(over.reason), { once: true });
  });
}
