/** Juju as far as the job desk sees it: databags that are written when a hook ends well, units that come and go. */
import type { BackupProvider, Job, JobStatus } from '#database-backup';
import type { CharmBase } from '#ops';
import type { DatabaseTypes } from '../../../../charms/database/src/charm-types.ts';
import { JobDesk, type Runner } from '../../../../charms/database/src/job-desk.ts';
import { HookKilledError, Machine } from './machine.ts';

type Bag = Map<string, string>;

/** One unit, living or gone. */
export interface Unit {
  readonly name: string;
  readonly machine: Machine;
  /** Its data in the peer relation. */
  readonly peerData: Bag;
  /** Peers whose joining it has been told of. */
  readonly seen: Set<string>;
  /** Peers whose leaving it has yet to be told of. */
  readonly departures: string[];
  /** Relation id → what it says there. */
  readonly published: Map<number, readonly JobStatus[]>;
}

export interface HookOptions {
  readonly succeeds: boolean;
  /** Whether it is one of those that come when nothing else is left to tell. */
  readonly isSettled: boolean;
  /** So many actions are carried out before the hook is killed. */
  readonly budget?: number;
}

export class Application {
  readonly units = new Map<string, Unit>();
  readonly gone = new Map<string, Unit>();
  /** Relation id → what its manager asks for. */
  readonly requests = new Map<number, Job[]>();
  readonly appData: Bag = new Map();
  leader = '';
  readonly #now: () => number;
  #unitSerial = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  addUnit(): Unit {
    const unit: Unit = {
      name: `db/${this.#unitSerial}`,
      machine: new Machine(this.#now),
      peerData: new Map(),
      seen: new Set(),
      departures: [],
      published: new Map(),
    };
    this.#unitSerial += 1;
    this.units.set(unit.name, unit);
    this.leader = this.leader === '' ? unit.name : this.leader;
    return unit;
  }

  removeUnit(name: string): void {
    const unit = this.units.get(name);
    if (unit === undefined) {
      return;
    }
    unit.machine.reboot();
    this.units.delete(name);
    this.gone.set(name, unit);
    for (const other of this.units.values()) {
      if (other.seen.delete(name)) {
        other.departures.push(name);
      }
    }
    if (this.leader === name) {
      this.leader = [...this.units.keys()][0] ?? '';
    }
  }

  breakRelation(id: number): void {
    this.requests.delete(id);
    for (const unit of this.units.values()) {
      unit.published.delete(id);
    }
  }

  /**
   * One dispatch of one unit; what it wrote is kept only where it succeeds.
   * @returns whether the others in the peer relation get to see a change
   */
  async hook(unit: Unit, options: HookOptions): Promise<boolean> {
    const staged = new Map<Bag, Bag>();
    const statuses = new Map<number, readonly JobStatus[]>();
    if (options.isSettled) {
      this.#meetEverybody(unit);
    }
    const departedUnit = unit.departures[0];
    const { machine } = unit;
    machine.budget = options.budget ?? Number.POSITIVE_INFINITY;
    const desk = new JobDesk(
      this.#charm(unit, staged) as unknown as CharmBase<DatabaseTypes>,
      this.#provider(statuses) as unknown as BackupProvider,
      { now: () => new Date(this.#now()), sleep: async () => undefined },
    );
    const runner: Runner = {
      reconcile: async (input) => await machine.reconcile(input),
      forget: async (jobIds) => await machine.forget(jobIds),
      jobs: async () => await machine.records(),
    };
    try {
      const deadlines = { stallSeconds: 120 };
      await desk.reconcile({ runner, departedUnit, deadlines });
    } catch (error) {
      if (error instanceof HookKilledError) {
        return false;
      }
      throw error;
    }
    return options.succeeds && this.#commit(unit, staged, statuses);
  }

  /** What somebody says about a job, by the unit that says it. */
  statusesOf(relation: number, jobId: string): readonly JobStatus[] {
    return [...this.units.values()].flatMap((unit) =>
      (unit.published.get(relation) ?? []).filter((status) => status.jobId === jobId),
    );
  }

  #meetEverybody(unit: Unit): void {
    for (const name of this.units.keys()) {
      if (name !== unit.name) {
        unit.seen.add(name);
      }
    }
  }

  #commit(
    unit: Unit,
    staged: ReadonlyMap<Bag, Bag>,
    statuses: ReadonlyMap<number, readonly JobStatus[]>,
  ): boolean {
    let hasChanged = false;
    for (const [bag, changes] of staged) {
      for (const [key, value] of changes) {
        hasChanged ||= (bag.get(key) ?? '') !== value;
        bag.set(key, value);
      }
    }
    for (const [id, said] of statuses) {
      unit.published.set(id, said);
    }
    unit.departures.shift();
    return hasChanged;
  }

  #charm(unit: Unit, staged: Map<Bag, Bag>): object {
    const entity = (name: string): object => ({
      name,
      isOwn: name === unit.name,
      isLeader: () => this.leader === name,
    });
    const app = { name: 'db', livingUnits: () => new Set(this.units.keys()) };
    const databag = (bag: Bag): object => ({
      get: (key: string) => (staged.get(bag)?.get(key) ?? bag.get(key)) || undefined,
      set: (key: string, value: string) => {
        staged.set(bag, (staged.get(bag) ?? new Map<string, string>()).set(key, value));
      },
    });
    const peers = {
      units: [...unit.seen].filter((name) => this.units.has(name)).map(entity),
      data: (of: { name: string }) => databag(of === app ? this.appData : this.#peerData(of.name)),
    };
    const model = { name: 'm', uuid: 'u', getRelation: () => peers, getUnit: entity };
    return { unit: entity(unit.name), app, model };
  }

  #peerData(name: string): Bag {
    return (this.units.get(name) ?? this.gone.get(name))?.peerData ?? new Map();
  }

  #provider(statuses: Map<number, readonly JobStatus[]>): object {
    return {
      requests: () =>
        [...this.requests].map(([id, jobs]) => ({
          relation: { id },
          jobs,
          issues: [],
          isReadable: true,
        })),
      publish: (relation: { id: number }, said: readonly JobStatus[]) => {
        statuses.set(relation.id, said);
      },
    };
  }
}
