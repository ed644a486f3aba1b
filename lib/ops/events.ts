/** What handlers of Juju's events are given. */
import { EventBase } from './event-base.ts';
import type { Application } from './model/application.ts';
import type { Relation } from './model/relation.ts';
import type { Secret } from './model/secret.ts';
import type { SettableStatus } from './model/status.ts';
import type { Storage } from './model/storage.ts';
import type { Unit } from './model/unit.ts';

/** An event with nothing but its name: `config-changed`. */
export class HookEvent extends EventBase {
  /** As Juju spells it. */
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

export interface RelationEventFields {
  readonly relation: Relation;
  readonly app: Application;
  readonly unit?: Unit | undefined;
}

/** Something happened in a relation. */
export class RelationEvent extends HookEvent {
  readonly relation: Relation;
  /** The remote application; of a peer relation the own one. */
  readonly app: Application;
  /** The remote unit; absent in created, broken, and when the application's data changed. */
  readonly unit: Unit | undefined;

  constructor(name: string, fields: RelationEventFields) {
    super(name);
    this.relation = fields.relation;
    this.app = fields.app;
    this.unit = fields.unit;
  }
}

/** A remote unit leaves, or this unit does. */
export class RelationDepartedEvent extends RelationEvent {
  /** The unit that goes: the remote one, or this one when it is being removed. */
  readonly departingUnit: Unit | undefined;

  constructor(
    name: string,
    fields: RelationEventFields & { readonly departingUnit?: Unit | undefined },
  ) {
    super(name, fields);
    this.departingUnit = fields.departingUnit;
  }
}

/** A secret changed, is due for rotation, expired, or has a revision nobody uses. */
export class SecretEvent extends HookEvent {
  readonly secret: Secret;
  /** Only in expired and remove. */
  readonly revision: number | undefined;

  constructor(name: string, secret: Secret, revision: number | undefined) {
    super(name);
    this.secret = secret;
    this.revision = revision;
  }
}

export class StorageEvent extends HookEvent {
  readonly storage: Storage;

  constructor(name: string, storage: Storage) {
    super(name);
    this.storage = storage;
  }
}

/** Collects statuses from whoever observes; the most severe is set when all have spoken. */
export class CollectStatusEvent extends HookEvent {
  readonly #statuses: SettableStatus[] = [];

  addStatus(status: SettableStatus): void {
    this.#statuses.push(status);
  }

  get statuses(): readonly SettableStatus[] {
    return this.#statuses;
  }
}
