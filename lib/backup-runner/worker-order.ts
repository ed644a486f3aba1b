/** What a worker is told on its standard input: its job, with the secrets that are in no file. */
import { HintError } from '#system';
import type { JobSpec } from './job-spec.ts';

interface OrderBase {
  readonly format: 1;
  /** Names this worker in the journal. */
  readonly token: string;
  /** The unit's state directory. */
  readonly stateDirectory: string;
  /** For the engine; may hold secrets. */
  readonly engineConfig: unknown;
  readonly unitName: string;
  readonly charmDir: string;
  readonly eventName: string;
}

/** `run`: do the job. `recover`: bring the database back to order after a worker's death. */
export type WorkerOrder =
  | (OrderBase & { readonly mode: 'run'; readonly spec: JobSpec })
  | (OrderBase & { readonly mode: 'recover'; readonly jobId: string });

/** @throws HintError `invalid-order` when the text is cut short or of another version */
export function parseWorkerOrder(text: string): WorkerOrder {
  let order: unknown;
  try {
    order = JSON.parse(text);
  } catch {
    // The text holds secrets, and messages of JSON.parse quote it.
  }
  if (typeof order !== 'object' || order === null || !('format' in order) || order.format !== 1) {
    throw new HintError('cannot start the worker: its input is incomplete or of another version', {
      code: 'invalid-order',
      hint: 'workers are started by the charm; its next hook starts another',
    });
  }
  return order as WorkerOrder;
}
