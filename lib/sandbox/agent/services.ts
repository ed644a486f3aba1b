/** What unit agents work with. */
import type { Recorder } from '../record/recorder.ts';
import type { ContextServices, HookContext } from './hook-context.ts';
import type { MachineLocks } from './machine-locks.ts';
import type { OutputPipes } from './output-pipe.ts';

export interface AgentServices extends ContextServices {
  readonly pipes: OutputPipes;
  /** Contexts that hook tools may name now, by id. */
  readonly contexts: Map<string, HookContext>;
  readonly locks: MachineLocks;
  /** Writes down what happens, while somebody wants it. */
  readonly recorder: Recorder;
  /** Called with defects; the agent goes on where it can. */
  readonly onDefect: (error: unknown) => void;
}

/** The version of Juju whose behaviour the sandbox has, as charms see it. */
export const JUJU_VERSION = '3.6.28';
