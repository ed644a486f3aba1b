/** What a unit's agent says of itself, and when failed hooks are tried again. */
import type { StatusInfo } from '../api-status.ts';
import type { PendingHook } from '../model/documents.ts';
import { type HookInfo, hookName } from '../model/hook-info.ts';
import type { Transaction } from '../store/store.ts';
import type { Operation } from './operation.ts';

// Juju's back-off: https://github.com/juju/juju/blob/3.6/internal/worker/uniter/uniter.go
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 300_000;
const JITTER = 0.1;

/** Idle, or still in error, when the unit has nothing to do; otherwise what it says stays. */
export function settleStatus(
  transaction: Transaction,
  unitName: string,
  next: Operation,
  now: string,
): void {
  const unit = transaction.get('unit', unitName);
  if (unit === undefined || next.kind !== 'wait') {
    return;
  }
  const status: StatusInfo =
    unit.pending?.state === 'failed'
      ? { current: 'error', message: failureMessage(unit.pending.hook), since: now }
      : { current: 'idle', since: now };
  if (unit.agent.current !== status.current || unit.agent.message !== status.message) {
    transaction.patch('unit', unitName, { agent: status });
  }
}

export function failureMessage(hook: HookInfo): string {
  return `hook failed: ${JSON.stringify(hookName(hook))}`;
}

/** The failed hook with the time of its next attempt, if it is tried again by itself. */
export function failedHook(
  hook: HookInfo,
  before: PendingHook | undefined,
  options: { readonly now: Date; readonly retries: boolean; readonly random: () => number },
): PendingHook {
  const failures = (before?.failures ?? 0) + 1;
  const wait = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
  const jittered = wait * (1 + JITTER * options.random());
  return {
    hook,
    state: 'failed',
    failures,
    ...(options.retries
      ? { retryAt: new Date(options.now.getTime() + jittered).toISOString() }
      : {}),
  };
}
