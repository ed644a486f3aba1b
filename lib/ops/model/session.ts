/** What all model objects of one dispatch share: the way to Juju, the context, and leadership. */
import { isLeader as askLeader, type HookToolRunner } from '../hook-tools/index.ts';
import type { JujuContext } from '../juju-context.ts';
import type { CharmMeta } from '../meta.ts';
import { LeaderOnlyError } from './errors.ts';

/** Made once a dispatch; whatever is cached lives as long. */
export class Session {
  readonly tools: HookToolRunner;
  readonly context: JujuContext;
  readonly meta: CharmMeta;
  /** The relation that ends with this event; its remote end is gone. */
  readonly brokenRelationId: number | undefined;
  #leader: boolean | undefined;

  constructor(
    tools: HookToolRunner,
    facts: {
      readonly context: JujuContext;
      readonly meta: CharmMeta;
      readonly brokenRelationId?: number | undefined;
    },
  ) {
    this.tools = tools;
    this.context = facts.context;
    this.meta = facts.meta;
    this.brokenRelationId = facts.brokenRelationId;
  }

  /** Asked once: Juju guarantees a positive answer for at least 30 s and keeps a negative one. */
  isLeader(): boolean {
    this.#leader ??= askLeader(this.tools);
    return this.#leader;
  }

  /** @throws LeaderOnlyError unless this unit leads. */
  requireLeader(operation: string): void {
    if (!this.isLeader()) {
      throw new LeaderOnlyError(operation, this.context.unitName);
    }
  }
}
