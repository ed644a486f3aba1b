/**
 * Which changes lead from the model there is to the one a bundle describes. Pure.
 * Nothing is taken away: units beyond the bundle's number, relations and settings stay.
 * https://github.com/juju/juju/blob/3.6/core/bundle/changes/handlers.go
 */

import type { JsonRecord } from '../../api.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { formatConstraints } from '../arguments/constraints.ts';
import { CommandError } from '../errors.ts';
import type { Bundle, BundleApplication } from './bundle.ts';
import type { Change } from './changes.ts';
import type { ExistingApplication, ExistingModel } from './existing-model.ts';
import { mapMachines } from './map-machines.ts';
import { inOrder, type Planned } from './order-changes.ts';
import { planUnits } from './plan-units.ts';

/**
 * The changes in the order in which they are made.
 * @param baseOf the base that an application gets, if it is known
 * @throws CommandError when placements go round in circles
 */
export function planBundle(
  bundle: Bundle,
  model: ExistingModel,
  baseOf: (application: BundleApplication) => string | undefined,
): readonly Change[] {
  const planned: Planned[] = [];
  const add = (change: Change, requires: readonly Planned[] = []): Planned => {
    const entry = { change, requires: [...requires] };
    planned.push(entry);
    return entry;
  };
  const deployed = planApplications(bundle, model, baseOf, add);
  let nextMachine = model.nextMachine;
  const numberMachine = (): string => {
    nextMachine += 1;
    return String(nextMachine - 1);
  };
  const map = mapMachines(bundle, model);
  const added = new Map<string, Planned>();
  for (const [bundleMachine, { base }] of sorted(bundle.machines)) {
    if (!map.has(bundleMachine)) {
      const machine = numberMachine();
      added.set(bundleMachine, add({ kind: 'add-machine', machine, bundleMachine, base }));
    }
  }
  planRelations(bundle, model, deployed, add);
  planUnits({ bundle, model, deployed, map, added, numberMachine, add, baseOf });
  const idle = [...added].find(
    ([, entry]) => !planned.some(({ requires }) => requires.includes(entry)),
  );
  if (idle !== undefined) {
    throw new CommandError(
      `cannot deploy bundle: bundle and machine mapping are inconsistent: need an explicit entry mapping bundle machine "${idle[0]}"`,
    );
  }
  return inOrder(planned);
}

type Add = (change: Change, requires?: readonly Planned[]) => Planned;

/** Answers the changes that deploy applications, by name. */
function planApplications(
  { applications }: Bundle,
  model: ExistingModel,
  baseOf: (application: BundleApplication) => string | undefined,
  add: Add,
): ReadonlyMap<string, Planned> {
  const charms = new Map<string, Planned>();
  const deployed = new Map<string, Planned>();
  for (const [name, wanted] of sorted(applications)) {
    const existing = model.applications.get(name);
    if (existing === undefined) {
      const base = baseOf(wanted);
      const key = `${wanted.charm} ${base ?? ''}`;
      const charm = charms.get(key) ?? add({ kind: 'add-charm', charm: wanted.charm, base });
      charms.set(key, charm);
      const entry = add({ kind: 'deploy', application: name, base }, [charm]);
      deployed.set(name, entry);
      if (wanted.expose) {
        add({ kind: 'expose', application: name }, [entry]);
      }
    } else {
      planUpdate(name, wanted, existing, add);
    }
  }
  return deployed;
}

/** A local charm that is deployed already is not replaced, as in Juju. */
function planUpdate(
  application: string,
  wanted: BundleApplication,
  existing: ExistingApplication,
  add: Add,
): void {
  const options = changedOptions(wanted.options, existing.settings);
  if (Object.keys(options).length > 0) {
    add({ kind: 'set-options', application, options });
  }
  if (formatConstraints(existing.constraints) !== formatConstraints(wanted.constraints)) {
    add({ kind: 'set-constraints', application, constraints: wanted.constraints });
  }
  if (wanted.expose && !existing.exposed) {
    add({ kind: 'expose', application });
  }
}

function changedOptions(wanted: JsonRecord, settings: JsonRecord): JsonRecord {
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => key !== 'trust' && settings[key] !== value),
  );
}

function planRelations(
  { relations }: Bundle,
  model: ExistingModel,
  deployed: ReadonlyMap<string, Planned>,
  add: Add,
): void {
  for (const endpoints of relations) {
    const isThere = model.relations.some((pair) => endpoints.every((end) => pair.includes(end)));
    if (!isThere) {
      const requires = endpoints.flatMap((end) => deployed.get(end.split(':')[0] ?? '') ?? []);
      add({ kind: 'add-relation', endpoints }, requires);
    }
  }
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([a], [b]) => compareNaturally(a, b));
}
