/** What can be told from a task: whether it has ended, and how. */
import type { TaskInfo } from '../../api.ts';

const ENDED = new Set(['completed', 'failed', 'cancelled', 'aborted', 'error']);

/** The unit or machine that the task is for. */
export function receiverOf({ unit, machine }: TaskInfo): string {
  return machine ?? unit;
}

/** Whether nothing more will come from the task or operation. */
export function hasEnded({ status }: { readonly status: string }): boolean {
  return ENDED.has(status);
}

/** The exit code of what ran, where something ran. */
export function returnCode({ results }: TaskInfo): number | undefined {
  const code = results['return-code'];
  return code === undefined || code === null ? undefined : Number(code);
}
