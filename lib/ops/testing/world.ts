/** The state while a charm runs: what hook tools read and change. */
import type { CharmMeta } from '../meta.ts';
import type { Status } from '../model/status.ts';
import { mutableCopy } from './freeze.ts';
import type { AnyRelationState } from './relation-state.ts';
import type { SecretState } from './secret-state.ts';
import { State } from './state.ts';
import { fromUnitState, toUnitState } from './stored-state.ts';
import type { TestEvent } from './test-events.ts';
import { formatOpened, parseOpened } from './tools/port-tools.ts';

/** The same data without `readonly`, at every depth. */
export type Mutable<T> = T extends (infer Item)[] | readonly (infer Item)[]
  ? Mutable<Item>[]
  : T extends Status
    ? T
    : T extends object
      ? { -readonly [Key in keyof T]: Mutable<T[Key]> }
      : T;

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

/** What a run did besides changing the state. */
export interface Recording {
  readonly jujuLog: LogLine[];
  /** Every status set, in order. */
  readonly unitStatuses: Status[];
  readonly appStatuses: Status[];
  readonly actionLogs: string[];
  actionResults: Record<string, unknown>;
  actionFailure: string | undefined;
  readonly calls: { readonly tool: string; readonly args: readonly string[] }[];
  readonly requestedStorages: Record<string, number>;
  readonly workloadVersions: string[];
  reboot: 'after the hook' | 'now' | undefined;
  readonly emitted: EmittedEvent[];
}

/** An event that was emitted, by Juju, the SDK or the charm. */
export interface EmittedEvent {
  /** Path of its source: `charm/on/config-changed`. */
  readonly path: string;
  readonly event: unknown;
  /** It was deferred, and is given again. */
  readonly again: boolean;
}

export interface WorldFacts {
  readonly meta: CharmMeta;
  readonly appName: string;
  readonly unitNumber: number;
  /** Deployed with --trust. */
  readonly trusted?: boolean;
}

export class World {
  readonly meta: CharmMeta;
  readonly appName: string;
  readonly unitName: string;
  readonly trusted: boolean;
  readonly event: TestEvent;
  readonly recording: Recording;
  readonly given: State;
  readonly relations: Map<number, Mutable<AnyRelationState>>;
  secrets: Mutable<SecretState>[];
  /** Port → the endpoints it is opened for; none: all. */
  readonly openedPorts: Map<string, readonly string[]>;
  /** What state-get tells. */
  unitState: Map<string, string>;
  unitStatus: Status;
  appStatus: Status;
  workloadVersion: string;
  /** Why Juju would fail the hook although the charm has succeeded. */
  commitRefusal: string | undefined;

  constructor(given: State, event: TestEvent, facts: WorldFacts) {
    this.given = given;
    this.event = event;
    this.meta = facts.meta;
    this.appName = facts.appName;
    this.trusted = facts.trusted ?? false;
    this.unitName = `${facts.appName}/${facts.unitNumber}`;
    this.relations = new Map(
      given.relations.map((relation) => [
        relation.id,
        mutableCopy(relation) as Mutable<AnyRelationState>,
      ]),
    );
    this.secrets = given.secrets.map((secret) => mutableCopy(secret) as Mutable<SecretState>);
    this.openedPorts = new Map(given.openedPorts.map(parseOpened));
    this.unitState = toUnitState(given);
    this.unitStatus = given.unitStatus;
    this.appStatus = given.appStatus;
    this.workloadVersion = given.workloadVersion;
    this.recording = {
      jujuLog: [],
      unitStatuses: [],
      appStatuses: [],
      actionLogs: [],
      actionResults: {},
      actionFailure: undefined,
      calls: [],
      requestedStorages: {},
      workloadVersions: [],
      reboot: undefined,
      emitted: [],
    };
  }

  get leader(): boolean {
    return this.given.leader;
  }

  /** A secret as Juju has it; undefined for one made in this hook. */
  committedSecret(id: string): SecretState | undefined {
    return this.given.secrets.find((secret) => secret.id === id);
  }

  /** Revision of a secret that Juju has; 1 for one made in this hook. */
  committedRevision(id: string): number {
    return this.committedSecret(id)?.revision ?? 1;
  }

  /** What Juju keeps when the hook failed: what tools change at once, nothing of what they buffer. */
  abandon(): State {
    return this.given.with({
      secrets: this.given.secrets.map((secret) => this.#firstRead(secret)),
      unitStatus: this.unitStatus,
      appStatus: this.appStatus,
      workloadVersion: this.workloadVersion,
    });
  }

  /** That a secret was read for the first time is known at once, later refreshes with the commit. */
  #firstRead(given: SecretState): SecretState {
    const now = this.secrets.find((secret) => secret.id === given.id);
    return given.trackedRevision === undefined && now?.trackedRevision === given.revision
      ? { ...given, trackedContent: given.latestContent, trackedRevision: given.revision }
      : given;
  }

  /** What Juju keeps when the hook succeeded. */
  commit(): State {
    return this.given.with({
      relations: [...this.relations.values()],
      secrets: this.secrets,
      openedPorts: [...this.openedPorts].map(formatOpened).toSorted(),
      unitStatus: this.unitStatus,
      appStatus: this.appStatus,
      workloadVersion: this.workloadVersion,
      ...fromUnitState(this.unitState),
    });
  }
}
