/** The actor of one unit: decides, executes, and again, one operation at a time. */
import { MODEL, type UnitDocument } from '../model/documents.ts';
import type { Patch, Reader, Transaction } from '../store/store.ts';
import { failedHook, failureMessage, settleStatus } from './agent-status.ts';
import { isBookkeeping, keepBooks } from './bookkeeping.ts';
import { buryUnit } from './bury-unit.ts';
import { type Commands, runCommands } from './command-operation.ts';
import { retriesHooks, runHook } from './hook-operation.ts';
import { lockOf } from './machine-locks.ts';
import type { Operation } from './operation.ts';
import { killOrphan } from './orphans.ts';
import { planOperation } from './plan-operation.ts';
import type { AgentServices } from './services.ts';
import { runTask } from './task-operation.ts';
import { prepareUnitDirectory, unitDirectory } from './unit-directory.ts';
import { runUpgrade } from './upgrade-operation.ts';

const DEFAULT_UPDATE_STATUS_MS = 300_000;

type LongOperation = Extract<Operation, { kind: 'hook' | 'upgrade' | 'task' | 'commands' }>;

export class UnitAgent {
  readonly unit: string;
  readonly #services: AgentServices;
  readonly #commands: Commands[] = [];
  readonly #stopped = new AbortController();
  #wake: () => void = () => undefined;
  #isAwake = true;
  #machine = '';

  constructor(services: AgentServices, unit: string) {
    this.#services = services;
    this.unit = unit;
  }

  /** Works until the unit is gone or `stop` is called. */
  async run(): Promise<void> {
    recoverInterrupted(this.#services, this.unit);
    this.#services.store.transact(this.#settle);
    await this.#prepare();
    while (!this.#stopped.signal.aborted) {
      const operation = this.#plan(this.#services.store);
      if (operation.kind === 'wait') {
        await this.#sleep(operation.until);
      } else if (await this.#executeLocked(operation)) {
        await this.#leave();
        return;
      }
    }
    this.#refuseCommands(`no runner is registered for unit ${this.unit}`);
  }

  /** Looks again whether there is something to do. */
  wake(): void {
    this.#isAwake = true;
    this.#wake();
  }

  /** Runs commands for juju-exec when their turn comes. */
  enqueue(commands: Commands): void {
    this.#commands.push(commands);
    this.wake();
  }

  /** No further operation is begun. */
  stop(): void {
    this.#stopped.abort();
    this.wake();
  }

  async #prepare(): Promise<void> {
    const { store, paths, machines } = this.#services;
    const unit = store.get('unit', this.unit);
    const charm = unit?.charm ?? store.get('application', unit?.application ?? '')?.charm;
    if (unit !== undefined && charm !== undefined) {
      const machine = store.require('machine', unit.machine);
      this.#machine = machine.id;
      await prepareUnitDirectory(paths, this.unit, charm, async (path) =>
        machines.prepareHome(machine, path),
      );
    }
  }

  #plan(reader: Reader): Operation {
    return planOperation({
      reader,
      unit: this.unit,
      now: this.#services.clock.now(),
      hasCommands: this.#commands.length > 0,
      updateStatusMs: updateStatusMs(reader),
    });
  }

  /** Ends a transaction: says idle or error where nothing more is to be done. */
  readonly #settle = (transaction: Transaction): void => {
    const now = this.#services.clock.now().toISOString();
    settleStatus(transaction, this.unit, this.#plan(transaction), now);
  };

  /**
   * Executes the operation when its lock is free. What is to be done may be something else by then,
   * so it is asked again. Answers whether the unit is gone.
   */
  async #executeLocked(operation: Exclude<Operation, { kind: 'wait' }>): Promise<boolean> {
    const { store, locks } = this.#services;
    const lock = lockOf(store, this.unit, operation);
    if (lock === undefined) {
      return await this.#execute(operation);
    }
    const release = await locks.acquire(lock, this.#stopped.signal);
    if (release === undefined) {
      return false;
    }
    try {
      const now = this.#plan(store);
      const stillFits = now.kind !== 'wait' && lockOf(store, this.unit, now) === lock;
      return stillFits && (await this.#execute(now));
    } finally {
      release();
    }
  }

  /** Answers whether the unit is gone. */
  async #execute(operation: Exclude<Operation, { kind: 'wait' }>): Promise<boolean> {
    if (operation.kind === 'bury') {
      return true;
    }
    if (isBookkeeping(operation)) {
      this.#services.store.transact((transaction) => {
        keepBooks(this.#services, transaction, this.unit, operation);
        this.#settle(transaction);
      });
    } else {
      await this.#run(operation);
    }
    return false;
  }

  /** What takes time, most of it in a process. */
  async #run(operation: LongOperation): Promise<void> {
    switch (operation.kind) {
      case 'hook':
        await runHook(this.#services, this.unit, operation.hook, this.#settle);
        break;
      case 'upgrade':
        await runUpgrade(this.#services, this.unit, this.#settle);
        break;
      case 'task':
        await runTask(this.#services, this.unit, operation.task, this.#settle);
        break;
      case 'commands':
        await this.#runNextCommands();
        break;
    }
  }

  async #runNextCommands(): Promise<void> {
    const commands = this.#commands.shift();
    if (commands !== undefined) {
      await runCommands(this.#services, this.unit, commands, this.#settle);
    }
  }

  async #sleep(until: string | undefined): Promise<void> {
    if (this.#isAwake) {
      this.#isAwake = false;
      // Something may have changed since the plan was made; look once more.
      return;
    }
    const waking = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const timeout = new AbortController();
    const timer =
      until === undefined
        ? waking
        : this.#services.clock
            .sleep(
              Math.max(0, Date.parse(until) - this.#services.clock.now().getTime()),
              timeout.signal,
            )
            .catch(() => undefined);
    await Promise.race([waking, timer]);
    timeout.abort();
    this.#isAwake = false;
  }

  #refuseCommands(reason: string): void {
    for (const { done } of this.#commands.splice(0)) {
      done({ code: 1, stdout: Buffer.alloc(0), stderr: Buffer.from(`ERROR ${reason}\n`) });
    }
  }

  async #leave(): Promise<void> {
    const burying = buryUnit(this.#services, { unit: this.unit, machine: this.#machine });
    this.#refuseCommands(`unit ${JSON.stringify(this.unit)} not found on this machine`);
    await burying;
  }
}

/** What ran when the daemon was killed is ended, and counts as failed. */
function recoverInterrupted(services: AgentServices, unitName: string): void {
  const { store, paths, clock, log } = services;
  const unit = store.get('unit', unitName);
  killOrphan(unitDirectory(paths, unitName));
  if (unit?.running === undefined) {
    return;
  }
  const { hook, task } = unit.running;
  const now = clock.now();
  store.transact((transaction) => {
    transaction.patch('unit', unitName, { running: undefined });
    if (task !== undefined) {
      transaction.patch('task', task, {
        status: 'failed',
        message: 'action terminated',
        completed: now.toISOString(),
      });
    }
    if (hook !== undefined) {
      const failed = failedHook(hook, unit.pending, {
        now,
        retries: retriesHooks(services),
        random: Math.random,
      });
      const changes: Patch<UnitDocument> =
        failed.retryAt === undefined
          ? {
              pending: failed,
              agent: { current: 'error', message: failureMessage(hook), since: now.toISOString() },
            }
          : // It was the daemon that failed, so there is no reason to wait, nor to speak of an error.
            { pending: { ...failed, retryAt: now.toISOString() } };
      transaction.patch('unit', unitName, changes);
    }
  });
  const what = hook === undefined ? 'commands' : failureMessage(hook);
  log.write({
    unit: unitName,
    level: 'ERROR',
    module: 'juju.worker.uniter.operation',
    message: `interrupted by the end of the agent: ${what}`,
  });
}

function updateStatusMs(reader: Reader): number {
  const text = reader.get('model', MODEL)?.config['update-status-hook-interval'];
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(typeof text === 'string' ? text : '5m');
  if (match === null) {
    return DEFAULT_UPDATE_STATUS_MS;
  }
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
