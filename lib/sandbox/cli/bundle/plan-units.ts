/** The units a bundle asks for beyond those there are, and where they come. Pure. */
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { CommandError } from '../errors.ts';
import type { Bundle, BundleApplication } from './bundle.ts';
import type { AddUnit, Change, UnitPlace } from './changes.ts';
import type { ExistingModel } from './existing-model.ts';
import type { Planned } from './order-changes.ts';
import { type Placement, parsePlacement } from './placement.ts';

interface Inputs {
  readonly bundle: Bundle;
  readonly model: ExistingModel;
  /** The changes that deploy applications, by name. */
  readonly deployed: ReadonlyMap<string, Planned>;
  /** Machine of the bundle → machine of the model. */
  readonly map: ReadonlyMap<string, string>;
  /** Machine of the bundle → the change that adds it. */
  readonly added: ReadonlyMap<string, Planned>;
  readonly numberMachine: () => string;
  readonly add: (change: Change, requires?: readonly Planned[]) => Planned;
  readonly baseOf: (application: BundleApplication) => string | undefined;
}

/** @throws CommandError when placements go round in circles */
export function planUnits(inputs: Inputs): void {
  new UnitPlanner(inputs).plan();
}

interface NewUnit extends Planned {
  readonly change: AddUnit;
}

interface Placed {
  readonly place: UnitPlace;
  readonly requires: readonly Planned[];
}

const UNPLACED: UnitPlace = { machine: '', isNew: true, shown: '' };

class UnitPlanner {
  readonly #inputs: Inputs;
  /** The new units of each application, in order. */
  readonly #units = new Map<string, readonly NewUnit[]>();
  /** By `application/target`: the machines and new units of the target that are still without one. */
  readonly #machinesLeft = new Map<string, string[]>();
  readonly #unitsLeft = new Map<string, NewUnit[]>();

  constructor(inputs: Inputs) {
    this.#inputs = inputs;
  }

  plan(): void {
    const { applications } = this.#inputs.bundle;
    for (const name of Object.keys(applications).toSorted(compareNaturally)) {
      this.#units.set(name, this.#addUnits(name, applications[name]?.units ?? 0));
    }
    const left = new Map(Object.entries(applications).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    while (left.size > 0) {
      const ready = [...left].filter(([, { to }]) => !to.some((text) => left.has(besideOf(text))));
      if (ready.length === 0) {
        throw new CommandError(
          `cannot deploy bundle: cycle in placement directives for: ${[...left.keys()].join(', ')}`,
        );
      }
      for (const [name, application] of ready) {
        this.#placeUnits(name, application);
        left.delete(name);
      }
    }
  }

  #addUnits(application: string, count: number): readonly NewUnit[] {
    const { model, deployed, add } = this.#inputs;
    const present = model.applications.get(application)?.units.length ?? 0;
    const first = model.nextUnits[application] ?? 0;
    return Array.from({ length: Math.max(0, count - present) }, (_, index) => {
      const change: AddUnit = {
        kind: 'add-unit',
        unit: `${application}/${first + index}`,
        application,
        place: UNPLACED,
      };
      return add(change, [deployed.get(application) ?? []].flat()) as NewUnit;
    });
  }

  #placeUnits(name: string, application: BundleApplication): void {
    const open = [...this.#unsatisfied(name, application.to)];
    const further = furtherDirective(application.to.at(-1));
    let previous: Planned | undefined;
    for (const unit of this.#units.get(name) ?? []) {
      const { place, requires } = this.#place(name, application, open.shift() ?? further);
      unit.change.place = place;
      unit.requires = [...unit.requires, ...requires, ...[previous ?? []].flat()];
      previous = unit;
    }
  }

  /** Directives that no unit there is follows already. */
  #unsatisfied(name: string, to: readonly string[]): readonly string[] {
    const existing = this.#inputs.model.applications.get(name);
    return to.filter((text) => {
      const placement = parsePlacement(text);
      const machine =
        placement.kind === 'machine'
          ? (this.#inputs.map.get(placement.machine) ?? placement.machine)
          : placement.kind === 'unit' && this.#machineOfUnit(placement);
      return !existing?.units.some((unit) => unit.machine === machine);
    });
  }

  #place(name: string, application: BundleApplication, directive: string | undefined): Placed {
    if (directive === undefined) {
      return this.#alone();
    }
    const placement = parsePlacement(directive);
    switch (placement.kind) {
      case 'new':
        return this.#onNewMachine(application);
      case 'machine':
        return this.#onBundleMachine(placement.machine);
      case 'unit':
        return this.#besideUnit(placement, application, directive);
      case 'application':
        return this.#besideApplication(name, placement.application, directive);
    }
  }

  /** On a machine that comes with the unit. */
  #alone(): Placed {
    const machine = this.#inputs.numberMachine();
    return { place: { machine, isNew: true, shown: `new machine ${machine}` }, requires: [] };
  }

  #onNewMachine(application: BundleApplication): Placed {
    const machine = this.#inputs.numberMachine();
    const base = this.#inputs.baseOf(application);
    const change = this.#inputs.add({ kind: 'add-machine', machine, base });
    return {
      place: { machine, isNew: false, shown: `new machine ${machine}` },
      requires: [change],
    };
  }

  #onBundleMachine(id: string): Placed {
    const added = this.#inputs.added.get(id);
    if (added === undefined || added.change.kind !== 'add-machine') {
      return existingMachine(this.#inputs.map.get(id) ?? id);
    }
    const { machine } = added.change;
    return { place: { machine, isNew: false, shown: `new machine ${machine}` }, requires: [added] };
  }

  #besideUnit(
    placement: Extract<Placement, { kind: 'unit' }>,
    application: BundleApplication,
    directive: string,
  ): Placed {
    const machine = this.#machineOfUnit(placement);
    if (machine !== undefined) {
      return existingMachine(machine, directive);
    }
    const present = this.#inputs.model.applications.get(placement.application)?.units.length ?? 0;
    const target = this.#units.get(placement.application)?.[placement.number - present];
    return target === undefined ? this.#onNewMachine(application) : beside(target, directive);
  }

  #machineOfUnit({ application, number }: Extract<Placement, { kind: 'unit' }>) {
    return this.#inputs.model.applications
      .get(application)
      ?.units.find(({ name }) => name === `${application}/${number}`)?.machine;
  }

  #besideApplication(name: string, target: string, directive: string): Placed {
    const key = `${name}/${target}`;
    const machines = getOrAdd(this.#machinesLeft, key, () => this.#machinesWithout(name, target));
    const machine = machines.shift();
    if (machine !== undefined) {
      return existingMachine(machine, directive);
    }
    const units = getOrAdd(this.#unitsLeft, key, () => [...(this.#units.get(target) ?? [])]);
    const unit = units.shift();
    return unit === undefined ? this.#alone() : beside(unit, directive);
  }

  /** Machines with a unit of the target, and none of the application. */
  #machinesWithout(name: string, target: string): string[] {
    const { applications } = this.#inputs.model;
    const own = new Set(applications.get(name)?.units.map(({ machine }) => machine));
    const machines = new Set(applications.get(target)?.units.map(({ machine }) => machine));
    return [...machines].filter((machine) => !own.has(machine)).toSorted(compareNaturally);
  }
}

function getOrAdd<T>(map: Map<string, T>, key: string, make: () => T): T {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}

/** The last directive goes for the units beyond, if it does not name one place. */
function furtherDirective(last: string | undefined): string | undefined {
  const kind = last === undefined ? undefined : parsePlacement(last).kind;
  return kind === 'new' || kind === 'application' ? last : undefined;
}

function besideOf(directive: string): string {
  const placement = parsePlacement(directive);
  return 'application' in placement ? placement.application : '';
}

function existingMachine(machine: string, directive?: string): Placed {
  const shown = `existing machine ${machine}`;
  const place = { machine, isNew: false, shown };
  return { place: directive === undefined ? place : { ...place, directive }, requires: [] };
}

/** The other unit has its place by now. */
function beside(target: NewUnit, directive: string): Placed {
  const { machine, shown } = target.change.place;
  return { place: { machine, isNew: false, shown, directive }, requires: [target] };
}
