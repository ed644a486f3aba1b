/** One relation: the applications and units in it, and their data. */

import type { DataModel } from '../data-model/index.ts';
import {
  RelationNotFoundError,
  relationList,
  relationListApp,
  relationModelGet,
} from '../hook-tools/index.ts';
import type { Application } from './application.ts';
import { Databag } from './databag.ts';
import type { Entities } from './entities.ts';
import type { Session } from './session.ts';
import type { Unit } from './unit.ts';

export class Relation {
  readonly endpoint: string;
  readonly id: number;
  readonly #session: Session;
  readonly #entities: Entities;
  readonly #databags = new Map<Application | Unit, Databag>();
  #units: readonly Unit[] | undefined;
  readonly #isGone: boolean;
  #app: Application | undefined;

  /** `goneApp`: the relation is gone, with the application of this name. */
  constructor(
    session: Session,
    entities: Entities,
    key: { readonly endpoint: string; readonly id: number },
    goneApp?: string,
  ) {
    this.#session = session;
    this.#entities = entities;
    this.endpoint = key.endpoint;
    this.id = key.id;
    this.#isGone = goneApp !== undefined;
    this.#app = goneApp === undefined ? undefined : entities.application(goneApp);
  }

  get isPeer(): boolean {
    return this.#session.meta.endpoints.get(this.endpoint)?.role === 'peers';
  }

  /** False in the relation's own broken event, and of one that is gone: nobody is at the other end. */
  get isActive(): boolean {
    return !this.#isGone && this.#session.brokenRelationId !== this.id;
  }

  /** The remote application; of a peer relation the own one. */
  get app(): Application {
    this.#app ??= this.#entities.application(this.#appName());
    return this.#app;
  }

  /** The remote units (of a peer relation: the others), in the order of their names. */
  get units(): readonly Unit[] {
    this.#units ??= Object.freeze(
      unlessGone(() => relationList(this.#session.tools, this), []).map((name) =>
        this.#entities.unit(name),
      ),
    );
    return this.#units;
  }

  /** Data of an application or unit in this relation; departed units can still be read. */
  data(owner: Application | Unit): Databag {
    const databag = this.#databags.get(owner) ?? new Databag(this.#session, this, owner);
    this.#databags.set(owner, databag);
    return databag;
  }

  /**
   * The data of an application or unit as a data model has it: each value decoded, all of it checked
   * by the schema. Keys the model does not know are skipped.
   * @throws DataModelError (`isEmpty` when none of the model's keys is there), DatabagAccessError
   */
  async load<D extends object>(model: DataModel<D>, source: Application | Unit): Promise<D> {
    return await model.fromTexts(this.data(source).entries(), this.#dataOf(source));
  }

  /**
   * Writes the fields of a data model in one call; a field that is absent or undefined erases its
   * key, other keys stay. Nothing is written when the value does not fit the schema.
   * @throws DataModelError, DatabagAccessError
   */
  async save<D extends object>(
    model: DataModel<D>,
    value: D,
    destination: Application | Unit,
  ): Promise<void> {
    const texts = await model.toTexts(value, this.#dataOf(destination));
    this.data(destination).update(texts);
  }

  /** UUID of the model at the other end (Juju 3.6.2 and later). */
  remoteModelUuid(): string | undefined {
    return relationModelGet(this.#session.tools, this);
  }

  toString(): string {
    return `${this.endpoint}:${this.id}`;
  }

  #dataOf(owner: Application | Unit): string {
    return `the data of ${owner.kind} ${owner.name} in relation ${this.endpoint}:${this.id}`;
  }

  #appName(): string {
    const { context } = this.#session;
    if (this.isPeer) {
      return context.appName;
    }
    const named = context.relationId === this.id ? context.remoteApp : undefined;
    return (
      named ??
      this.#units?.[0]?.app.name ??
      unlessGone(() => relationListApp(this.#session.tools, this), undefined) ??
      ''
    );
  }
}

function unlessGone<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RelationNotFoundError) {
      return gone;
    }
    throw error;
  }
}
