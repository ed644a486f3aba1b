/**
 * Which machines of the model are those of the bundle: as told, else where units already are as the
 * bundle places them. Pure. https://github.com/juju/juju/blob/3.6/core/bundle/changes/model.go
 */
import { compareNaturally } from '../../go-output/natural-sort.ts';
import type { Bundle } from './bundle.ts';
import type { ExistingModel } from './existing-model.ts';
import { parsePlacement } from './placement.ts';

/** Machine of the bundle → machine of the model. */
export function mapMachines(bundle: Bundle, model: ExistingModel): ReadonlyMap<string, string> {
  const map = new Map(model.told);
  const free = freeUnits(model, new Set(map.values()));
  const unused = takeSameNumbers(bundle, model, map, free);
  for (const id of Object.keys(bundle.machines).toSorted(compareNaturally)) {
    const machine = map.has(id) ? undefined : takeFirst(id, unused, free);
    if (machine !== undefined) {
      map.set(id, machine);
    }
  }
  return map;
}

type FreeUnits = ReadonlyMap<string, { readonly name: string; readonly machine: string }[]>;
type Placements = readonly (readonly [application: string, machines: readonly string[]])[];

function freeUnits(model: ExistingModel, taken: ReadonlySet<string>): FreeUnits {
  return new Map(
    [...model.applications].map(([name, { units }]) => [
      name,
      units.filter(({ machine }) => !taken.has(machine)),
    ]),
  );
}

/** A unit on machine 3 where the bundle puts one on its machine 3. Answers the placements left. */
function takeSameNumbers(
  bundle: Bundle,
  model: ExistingModel,
  map: Map<string, string>,
  free: FreeUnits,
): Placements {
  return Object.entries(bundle.applications)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([application, { to }]) => {
      const left = machinesIn(to).filter((id) => {
        const unit = model.applications
          .get(application)
          ?.units.find(({ machine }) => machine === id);
        if (map.has(id) || unit === undefined) {
          return true;
        }
        map.set(id, id);
        const units = free.get(application) ?? [];
        const at = units.findIndex(({ name }) => name === unit.name);
        if (at !== -1) {
          units.splice(at, 1);
        }
        return false;
      });
      return [application, left.toSorted()] as const;
    });
}

function takeFirst(id: string, placements: Placements, free: FreeUnits): string | undefined {
  for (const [application, machines] of placements) {
    if (machines.includes(id)) {
      const unit = free.get(application)?.shift();
      if (unit !== undefined) {
        return unit.machine;
      }
    }
  }
  return undefined;
}

function machinesIn(to: readonly string[]): readonly string[] {
  return to.flatMap((text) => {
    const placement = parsePlacement(text);
    return placement.kind === 'machine' ? [placement.machine] : [];
  });
}
