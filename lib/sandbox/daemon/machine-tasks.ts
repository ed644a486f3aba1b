/** Runs the tasks that are for machines instead of units: `juju exec --machine` and `--all`. */
import { mkdirSync, rmSync } from 'node:fs';
import { type CharmProcessEnd, runCharmProcess } from '../agent/charm-process.ts';
import { lockOfTask } from '../agent/machine-locks.ts';
import { loginEnvironment, machinePlace, machineTaskDirectory } from '../agent/machine-place.ts';
import { killNotedProcess, killOrphan, noteProcess } from '../agent/orphans.ts';
import type { AgentServices } from '../agent/services.ts';
import { outputResults } from '../agent/task-results.ts';
import type { TaskDocument } from '../model/documents.ts';

export class MachineTasks {
  readonly #services: AgentServices;
  readonly #running = new Set<string>();
  readonly #stopped = new AbortController();

  constructor(services: AgentServices) {
    this.#services = services;
  }

  /** Ends what a dead daemon left, and begins what waits. */
  start(): void {
    const { store, paths, clock } = this.#services;
    for (const task of this.#tasks('running', 'aborting')) {
      killOrphan(machineTaskDirectory(paths, task.id));
      store.transact((transaction) =>
        transaction.patch('task', task.id, {
          status: task.status === 'aborting' ? 'aborted' : 'failed',
          message: 'action terminated',
          completed: clock.now().toISOString(),
        }),
      );
    }
    store.onCommit(() => {
      this.#notice();
    });
    this.#notice();
  }

  /** Begins no others. */
  stop(): void {
    this.#stopped.abort();
  }

  #tasks(...statuses: readonly TaskDocument['status'][]): readonly TaskDocument[] {
    return this.#services.store
      .all('task')
      .filter(({ machine, status }) => machine !== undefined && statuses.includes(status));
  }

  #notice(): void {
    for (const task of this.#tasks('pending')) {
      if (!this.#running.has(task.id) && !this.#stopped.signal.aborted) {
        this.#running.add(task.id);
        // Not at once: this is called in the middle of a commit.
        Promise.resolve()
          .then(async () => this.#run(task))
          .catch(this.#services.onDefect)
          .finally(() => this.#running.delete(task.id));
      }
    }
  }

  async #run({ id, machine = '', ...task }: TaskDocument): Promise<void> {
    const { store, locks, clock } = this.#services;
    const lock = lockOfTask({ id, machine, ...task }, machine);
    const release = lock === undefined ? noop : await locks.acquire(lock, this.#stopped.signal);
    if (release === undefined) {
      return;
    }
    try {
      if (store.get('task', id)?.status !== 'pending') {
        return;
      }
      store.transact((transaction) =>
        transaction.patch('task', id, { status: 'running', started: clock.now().toISOString() }),
      );
      this.#finish(id, await this.#execute(id, machine, task.command ?? ''));
    } finally {
      release();
    }
  }

  async #execute(id: string, machine: string, script: string): Promise<CharmProcessEnd> {
    const { paths, store, pipes } = this.#services;
    const directory = machineTaskDirectory(paths, id);
    mkdirSync(directory.root, { recursive: true, mode: 0o700 });
    try {
      const { home, enter } = await machinePlace(this.#services, machine);
      return await runCharmProcess({
        ...(await enter({ file: '/bin/bash', args: ['--norc', '-s'], cwd: home })),
        stdin: script,
        pipes,
        env: loginEnvironment(home),
        onStarted: (pid) => {
          noteProcess(directory, id, pid);
          if (store.get('task', id)?.status === 'aborting') {
            killNotedProcess(directory);
          }
        },
      });
    } finally {
      rmSync(directory.root, { recursive: true, force: true });
    }
  }

  #finish(id: string, end: CharmProcessEnd): void {
    const { store, clock } = this.#services;
    store.transact((transaction) => {
      const aborted = transaction.require('task', id).status === 'aborting';
      transaction.patch('task', id, {
        status: aborted ? 'aborted' : 'completed',
        ...(aborted ? { message: 'action cancelled via the API' } : {}),
        results: outputResults(end),
        completed: clock.now().toISOString(),
      });
    });
  }
}

function noop(): void {
  // No lock was needed.
}
