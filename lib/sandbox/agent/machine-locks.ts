/**
 * Who may run on a machine: hooks and commands one after the other, actions side by side where their
 * charm says so. https://github.com/juju/juju/blob/3.6/internal/worker/uniter/operation/executor.go
 */
import type { TaskDocument } from '../model/documents.ts';
import type { Reader } from '../store/store.ts';
import type { Operation } from './operation.ts';

const MACHINE_LOCK = 'machine-lock';

/** Named locks, first come first served. */
export class MachineLocks {
  readonly #queues = new Map<string, Promise<void>>();

  /** Waits for the lock; what it answers gives it back. Gives up, holding nothing, when `signal` aborts. */
  async acquire(name: string, signal: AbortSignal): Promise<(() => void) | undefined> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const released = Promise.withResolvers<void>();
    const after = before.then(async () => released.promise);
    this.#queues.set(name, after);
    const aborted = new Promise<'aborted'>((resolve) => {
      signal.addEventListener('abort', () => {
        resolve('aborted');
      });
    });
    const outcome = signal.aborted ? 'aborted' : await Promise.race([before, aborted]);
    const release = () => {
      released.resolve();
      if (this.#queues.get(name) === after) {
        this.#queues.delete(name);
      }
    };
    if (outcome === 'aborted') {
      release();
      return undefined;
    }
    return release;
  }
}

/** The lock an operation of a unit needs; undefined for those that need none. */
export function lockOf(reader: Reader, unit: string, operation: Operation): string | undefined {
  const machine = reader.get('unit', unit)?.machine ?? '';
  if (operation.kind === 'task') {
    return lockOfTask(reader.require('task', operation.task), machine);
  }
  // Leadership and bookkeeping need none.
  return operation.kind === 'hook' || operation.kind === 'commands'
    ? `${MACHINE_LOCK} ${machine}`
    : undefined;
}

/** The lock of a task on a machine; undefined for parallel ones outside any group. */
export function lockOfTask(
  { parallel, executionGroup }: TaskDocument,
  machine: string,
): string | undefined {
  if (executionGroup !== undefined) {
    return `${MACHINE_LOCK}-${executionGroup} ${machine}`;
  }
  return parallel === true ? undefined : `${MACHINE_LOCK} ${machine}`;
}
