/** What a unit agent may do next. */
import type { HookInfo } from '../model/hook-info.ts';

export type Operation =
  /** Runs a hook; with `pending` it is the queued or failed one, run again. */
  | { readonly kind: 'hook'; readonly hook: HookInfo; readonly pending?: true }
  /** Marks the failed hook as done without running it (`resolved --no-retry`). */
  | { readonly kind: 'skip-hook'; readonly hook: HookInfo }
  /** The leader's lease has run out: takes it. */
  | { readonly kind: 'claim-leadership' }
  /** Takes notice of being the leader, and queues leader-elected. */
  | { readonly kind: 'accept-leadership' }
  | { readonly kind: 'resign-leadership' }
  /** Enters or leaves a relation on an endpoint the charm does not know of; no hook tells. */
  | { readonly kind: 'enter-scope' | 'leave-scope'; readonly relation: number }
  /** Puts the application's charm in place, and queues upgrade-charm unless a hook has failed. */
  | { readonly kind: 'upgrade' }
  | { readonly kind: 'task'; readonly task: string }
  /** Runs what juju-exec asked for; the commands wait in the agent. */
  | { readonly kind: 'commands' }
  /** The unit was destroyed before it was installed, or is through with its remove hook. */
  | { readonly kind: 'bury' }
  /** Nothing to do before `until` (ISO time), or before something changes. */
  | { readonly kind: 'wait'; readonly until?: string };
