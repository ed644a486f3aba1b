/** An application: the charm's own, or one at the other end of a relation. */
import { goalState, type SecretContent, type SecretMetadata } from '../hook-tools/index.ts';
import { addSecret, type Secret } from './secret.ts';
import type { Session } from './session.ts';
import { type SettableStatus, type Status, UnknownStatus } from './status.ts';
import { StatusSlot } from './status-slot.ts';

export class Application {
  readonly kind = 'application';
  readonly name: string;
  readonly #session: Session;
  readonly #status: StatusSlot;

  constructor(session: Session, name: string) {
    this.#session = session;
    this.name = name;
    this.#status = new StatusSlot(session, { application: true });
  }

  /** Whether the charm is this application. */
  get isOwn(): boolean {
    return this.name === this.#session.context.appName;
  }

  /** Leader only; unknown for other applications. @throws LeaderOnlyError */
  get status(): Status {
    if (!this.isOwn) {
      return new UnknownStatus();
    }
    this.#session.requireLeader('read the status of the application');
    return this.#status.get();
  }

  set status(status: SettableStatus) {
    this.#session.requireLeader('set the status of the application');
    this.#status.set(status);
  }

  /** How many units the administrator asked for; units going away are not counted. */
  plannedUnits(): number {
    return this.livingUnits().size;
  }

  /**
   * Names of the own units as the controller knows them, without those going away: also of units this one has not met
   * in a peer relation yet. Who is not among them has gone, or goes.
   */
  livingUnits(): ReadonlySet<string> {
    const { units } = goalState(this.#session.tools);
    const living = Object.entries(units).filter(([, { status }]) => status !== 'dying');
    return new Set(living.map(([name]) => name));
  }

  /** A secret all units may read and the leader keeps. @throws LeaderOnlyError */
  addSecret(content: SecretContent, options: SecretMetadata = {}): Secret {
    return addSecret(this.#session, 'application', { ...options, content });
  }

  toString(): string {
    return this.name;
  }
}
