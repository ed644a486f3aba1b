/**
 * The data one application or unit shows in one relation. Juju's permission rules are checked before
 * Juju is asked; what is read is kept for the dispatch; what is equal is not written.
 */
import { HintError } from '#system';
import { RelationNotFoundError, relationGet, relationSet } from '../hook-tools/index.ts';
import type { Application } from './application.ts';
import { DatabagAccessError } from './errors.ts';
import type { Session } from './session.ts';
import type { Unit } from './unit.ts';

/** What a databag must know of its relation. */
export interface DatabagRelation {
  readonly endpoint: string;
  readonly id: number;
  readonly isPeer: boolean;
}

export class Databag {
  readonly #session: Session;
  readonly #relation: DatabagRelation;
  readonly #owner: Application | Unit;
  #data: ReadonlyMap<string, string> | undefined;

  constructor(session: Session, relation: DatabagRelation, owner: Application | Unit) {
    this.#session = session;
    this.#relation = relation;
    this.#owner = owner;
  }

  /** @throws DatabagAccessError when this unit may not read it. */
  get(key: string): string | undefined {
    return this.#read().get(key);
  }

  /** @throws DatabagAccessError when this unit may not read it. */
  entries(): Readonly<Record<string, string>> {
    return Object.freeze(Object.fromEntries(this.#read()));
  }

  /** An empty value deletes the key. @throws DatabagAccessError */
  set(key: string, value: string): void {
    this.update({ [key]: value });
  }

  /** @throws DatabagAccessError */
  delete(key: string): void {
    this.update({ [key]: '' });
  }

  /**
   * Writes several keys in one call; empty and undefined values delete. Makes no call when nothing
   * differs. Juju keeps the change when the hook succeeds.
   * @throws DatabagAccessError when this unit may not write it.
   */
  update(values: Readonly<Record<string, string | undefined>>): void {
    this.#requireWritable();
    const current = this.#read();
    const changes = Object.entries(values)
      .map(([key, value]) => [key, value ?? ''] as const)
      .filter(([key, value]) => (current.get(key) ?? '') !== value);
    if (changes.length === 0) {
      return;
    }
    checkTexts(changes);
    const application = this.#owner.kind === 'application';
    const data = Object.fromEntries(changes);
    relationSet(this.#session.tools, this.#relation, data, { application });
    const next = new Map([...current, ...changes]);
    this.#data = new Map([...next].filter(([, value]) => value !== ''));
  }

  #read(): ReadonlyMap<string, string> {
    this.#data ??= this.#fetch();
    return this.#data;
  }

  #fetch(): ReadonlyMap<string, string> {
    this.#requireReadable();
    try {
      const data = relationGet(this.#session.tools, this.#relation, {
        name: this.#owner.name,
        application: this.#owner.kind === 'application',
      });
      return new Map(Object.entries(data));
    } catch (error) {
      // A relation that is going away may be gone for Juju before its last event.
      if (error instanceof RelationNotFoundError) {
        return new Map();
      }
      throw error;
    }
  }

  #requireReadable(): void {
    const ownApplication = this.#owner.kind === 'application' && this.#owner.isOwn;
    if (ownApplication && !this.#relation.isPeer && !this.#session.isLeader()) {
      throw new DatabagAccessError(
        `${this.#describe('read')}: ${this.#session.context.unitName} is not the leader`,
        'only the leader may read and write the data of its application in a relation',
      );
    }
  }

  #requireWritable(): void {
    if (!this.#owner.isOwn) {
      throw new DatabagAccessError(
        `${this.#describe('write')}: it belongs to the other end`,
        'a unit writes its own data, and the leader those of its application',
      );
    }
    if (this.#owner.kind === 'application' && !this.#session.isLeader()) {
      throw new DatabagAccessError(
        `${this.#describe('write')}: ${this.#session.context.unitName} is not the leader`,
        'check unit.isLeader() first',
      );
    }
  }

  #describe(operation: string): string {
    const { endpoint, id } = this.#relation;
    return `cannot ${operation} the data of ${this.#owner.name} in relation ${endpoint}:${id}`;
  }
}

function checkTexts(entries: readonly (readonly [string, string])[]): void {
  for (const [key, value] of entries) {
    if (key === '' || !isText(key) || !isText(value)) {
      throw new HintError(`cannot write key "${key}" of a databag: keys and values must be text`, {
        code: 'invalid-databag-value',
        hint: 'encode other values, for example with JSON.stringify',
      });
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.isWellFormed();
}
