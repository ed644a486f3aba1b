/** What is in the model already when a bundle is deployed. */
import type { JsonRecord } from '../../api.ts';
import type { UnitStatus } from '../../api-status.ts';
import { CommandError, quoted } from '../errors.ts';
import type { Session } from '../session.ts';

export interface ExistingModel {
  readonly applications: ReadonlyMap<string, ExistingApplication>;
  readonly machines: ReadonlySet<string>;
  /** `application:endpoint` of both sides. */
  readonly relations: readonly (readonly [string, string])[];
  /** The number of the next machine, and those of the next units by application. */
  readonly nextMachine: number;
  readonly nextUnits: Readonly<Record<string, number>>;
  /** Machines of the bundle that are machines of the model, as told. */
  readonly told: ReadonlyMap<string, string>;
}

export interface ExistingApplication {
  readonly exposed: boolean;
  readonly settings: JsonRecord;
  readonly constraints: JsonRecord;
  readonly units: readonly { readonly name: string; readonly machine: string }[];
}

/**
 * @param mapping of `--map-machines`: `existing` and `bundle-id=machine-id`
 * @throws CommandError for a mapping that is none
 */
export async function readModel(
  session: Session,
  mapping: readonly string[],
): Promise<ExistingModel> {
  const status = await session.call('status', {});
  const { machine, units } = await session.call('sequences', {});
  const applications = await Promise.all(
    status.applications.map(async ({ name, exposed, units: own }) => {
      const { settings } = await session.call('get-config', { application: name });
      const values = Object.entries(settings).flatMap(([key, { value, default: initial }]) => {
        const now = value ?? initial;
        return now === undefined ? [] : [[key, now] as const];
      });
      const constraints = await session.call('constraints', { application: name });
      const existing: ExistingApplication = {
        exposed,
        settings: Object.fromEntries(values),
        constraints,
        units: own.map((unit) => ({ name: unit.name, machine: machineOf(unit) })),
      };
      return [name, existing] as const;
    }),
  );
  const machines = new Set(status.machines.map(({ id }) => id));
  return {
    applications: new Map(applications),
    machines,
    relations: status.relations.map(({ provider, requirer }) => [provider, requirer]),
    nextMachine: machine,
    nextUnits: units,
    told: parseMapping(mapping, machines),
  };
}

function machineOf(unit: UnitStatus): string {
  return unit.machine ?? '';
}

function parseMapping(
  mapping: readonly string[],
  machines: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  for (const item of mapping) {
    const [bundleMachine = '', machine = ''] = item.split('=');
    if (item === 'existing') {
      for (const id of machines) {
        told.set(id, told.get(id) ?? id);
      }
    } else if (!/^\d+=\d+$/.test(item)) {
      throw new CommandError(
        `error in --map-machines: expected "existing" or "<bundle-id>=<machine-id>", got ${quoted(item)}`,
      );
    } else if (machines.has(machine)) {
      told.set(bundleMachine, machine);
    } else {
      throw new CommandError(`error in --map-machines: machine ${quoted(machine)} not found`);
    }
  }
  return told;
}
