/** The life of one worker, from its registration to the last event. */
import type { StorageConfig } from '#database-backup';
import type { Engine } from '#engines';
import type { CredentialsPatience, CredentialsSource, ObjectStore } from '#object-store';
import { fireCustomEvent } from '#ops';
import { type Clock, identifyProcess, type ProcessIdentity } from '#system';
import { passGate, waitForPermission } from './confirmation.ts';
import { armDeadMansSwitch } from './dead-mans-switch.ts';
import { isStartMissed } from './deadlines.ts';
import { EventNotifier } from './event-notifier.ts';
import { failureOf, RecoveryNeededError } from './failures.ts';
import { arrivalOf } from './job-facts.ts';
import type { Failure, JobFiles, Outcome, Registration } from './job-files.ts';
import { JobLimits } from './job-limits.ts';
import { type JobLog, openJobLog } from './job-log.ts';
import { createJobPace } from './job-pace.ts';
import type { JobSpec } from './job-spec.ts';
import { Journal } from './journal.ts';
import { createKeySource } from './key-source.ts';
import { performBackup } from './perform-backup.ts';
import { clearPartialItems } from './perform-item-restore.ts';
import { performRecovery } from './perform-recovery.ts';
import { performRestore } from './perform-restore.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { createRedactor, type Redact } from './redact.ts';
import { verdictFailure } from './verdicts.ts';
import type { WorkerOrder } from './worker-order.ts';
import type { WorkerTimings } from './worker-timings.ts';

export interface WorkerDependencies {
  readonly order: WorkerOrder;
  readonly createEngine: (config: unknown) => Engine;
  readonly createStore: (
    config: StorageConfig,
    keys: CredentialsSource,
    patience: CredentialsPatience,
  ) => ObjectStore & { close?(): void };
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
  /** One for each configuration there was. */
  #redactors: readonly Redact[];
  readonly #log: JobLog;
  readonly #notifier: EventNotifier;
  readonly #limits: JobLimits;
  #reporter: ProgressReporter | undefined;

  constructor(dependencies: WorkerDependencies) {
    const { order, clock, timings, signal } = dependencies;
    this.#it = dependencies;
    const jobId = order.mode === 'run' ? order.spec.jobId : order.jobId;
    this.#files = new Journal(order.stateDirectory).files(jobId);
    const { storageConfig, passphrases } =
      order.mode === 'run' ? order.spec : { storageConfig: {}, passphrases: undefined };
    this.#redactors = [createRedactor(storageConfig, { engine: order.engineConfig, passphrases })];
    this.#redact = (text) => this.#redactors.reduce((rest, redact) => redact(rest), text);
    this.#log = openJobLog(this.#files.logPath, clock, this.#redact);
    const redact = this.#redact;
    this.#limits = new JobLimits({ files: this.#files, clock, timings, redact, signal });
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
    if (order.mode === 'recover') {
      await clearPartialItems(order.stateDirectory, order.jobId);
    }
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
    const { order, clock, timings } = this.#it;
    const { signal } = this.#limits;
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
    const hasGone = (await this.#isTooLate(spec))
      ? await this.#giveUp(spec)
      : await passGate(this.#files, order.token, identity, this.#now());
    if (hasGone) {
      await this.#conclude(spec);
      await this.#notifier.finish();
    }
  }

  async #isTooLate(spec: JobSpec): Promise<boolean> {
    const claim = await this.#files.claim();
    const arrivedAt = claim === undefined ? undefined : arrivalOf(claim);
    const now = this.#it.clock.now().getTime();
    return isStartMissed(arrivedAt === undefined ? {} : { arrivedAt }, spec.deadline, now);
  }

  /** Ends the job in the runner's place, which would do the same if a hook came. */
  async #giveUp({ jobType }: JobSpec): Promise<boolean> {
    const failure = verdictFailure('start-deadline', jobType, []);
    await this.#files.createGate({ by: 'runner', failure, at: this.#now() });
    await this.#notifier.finish();
    return false;
  }

  async #conclude(spec: JobSpec): Promise<void> {
    let outcome: Outcome;
    try {
      outcome = await this.#perform(spec);
    } catch (error) {
      const failure = await this.#limits.explain(spec, error);
      await this.#recordError(spec, failure, error instanceof RecoveryNeededError);
      return;
    }
    await this.#recordOutcome(spec, outcome);
  }

  async #perform(spec: JobSpec): Promise<Outcome> {
    const { order, clock, timings } = this.#it;
    const { signal } = this.#limits;
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
    const store = this.#createStore(spec);
    const { stateDirectory } = order;
    const pace = createJobPace(stateDirectory, clock);
    const limited = pace.limit(store);
    const facts = { spec, engine, files, reporter, log, clock, signal };
    const context = { ...facts, pace, stateDirectory, store: limited };
    try {
      const work = spec.jobType === 'restore' ? performRestore(context) : performBackup(context);
      return await this.#limits.keep(spec, reporter, work);
    } finally {
      store.close?.();
    }
  }

  #createStore(spec: JobSpec): ReturnType<WorkerDependencies['createStore']> {
    const keys = createKeySource({
      config: spec.storageConfig,
      files: this.#files,
      fire: async () => await this.#fire(this.#limits.signal),
      log: this.#log,
      onConfig: (config) => {
        this.#redactors = [...this.#redactors, createRedactor(config, null)];
      },
    });
    // Where a stall is noticed, that is the bound; elsewhere the store gives up after some minutes.
    const isBounded = spec.deadline?.stallSeconds !== undefined;
    const patience = isBounded ? { maxAttempts: Number.MAX_SAFE_INTEGER } : {};
    return this.#it.createStore(spec.storageConfig, keys, patience);
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
