/**
 * Models, applications, units and machines as queries of `juju wait-for` see them, and a record of
 * what a query looked at, which is the summary in the end.
 * https://github.com/juju/juju/tree/3.6/cmd/juju/waitfor
 */
import type { ApplicationStatus, FullStatus, MachineStatus, UnitStatus } from '../../api-status.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { CommandError } from '../errors.ts';
import { allUnits } from '../status/all-units.ts';
import { isScopes, type Scope, type Value } from './values.ts';

type Fields = Readonly<Record<string, () => Value>>;

export type Kind = 'application' | 'machine' | 'model' | 'unit';

/** What a query looked at: own members, and those of what belongs to it. */
export interface Looked {
  readonly properties: Record<string, OutputValue>;
  readonly children: Record<string, Record<string, Record<string, OutputValue>>>;
}

interface Subject {
  readonly scope: Scope;
  /** Status of the subject, for progress. */
  readonly status: string;
}

/** The subject with this name; undefined while it is not there. */
export function findSubject(
  kind: Kind,
  name: string,
  status: FullStatus,
  looked: Looked,
): Subject | undefined {
  const found = FINDERS[kind](name, status, looked);
  return found === undefined
    ? undefined
    : { scope: scopeOf(found.fields, kind, looked.properties), status: found.status };
}

interface Found {
  readonly fields: Fields;
  readonly status: string;
}

const FINDERS: Readonly<
  Record<Kind, (name: string, status: FullStatus, looked: Looked) => Found | undefined>
> = {
  application: (name, status, looked) => {
    const found = status.applications.find((one) => one.name === name);
    return (
      found && { fields: applicationFields(found, status, looked), status: found.status.current }
    );
  },
  machine: (name, status) => {
    const found = status.machines.find(({ id }) => id === name);
    return found && { fields: machineFields(found), status: found.agent.current };
  },
  model: (name, status, looked) =>
    status.model.name === name
      ? { fields: modelFields(status, looked), status: status.model.status.current }
      : undefined,
  unit: (name, status, looked) => {
    const found = allUnits(status).find((one) => one.name === name);
    return found && { fields: unitFields(found, status, looked), status: found.workload.current };
  },
};

function scopeOf(fields: Fields, kind: Kind, properties: Record<string, OutputValue>): Scope {
  return {
    get: (name) => {
      const read = fields[name];
      if (read === undefined) {
        throw new CommandError(
          `invalid query: there is no ${JSON.stringify(name)} of ${kind}; there are ${Object.keys(fields).join(', ')}`,
        );
      }
      const value = read();
      if (typeof value !== 'object') {
        properties[name] = value;
      } else if (!isScopes(value) && Array.isArray(value)) {
        properties[name] = [...value];
      }
      return value;
    },
  };
}

function modelFields(status: FullStatus, looked: Looked): Fields {
  return {
    name: () => status.model.name,
    life: () => 'alive',
    'is-controller': () => false,
    status: () => status.model.status.current,
    applications: () =>
      children('applications', 'application', looked, status.applications, (one) => [
        one.name,
        applicationFields(one, status, looked),
      ]),
    machines: () => machinesOf(status.machines, looked),
    units: () => unitsOf(allUnits(status), status, looked),
  };
}

function applicationFields(
  application: ApplicationStatus,
  status: FullStatus,
  looked: Looked,
): Fields {
  const { name } = application;
  const units = () => allUnits(status).filter((unit) => unit.name.split('/')[0] === name);
  return {
    name: () => name,
    life: () => application.life ?? 'alive',
    exposed: () => application.exposed,
    'charm-url': () => application.charm.url,
    'min-units': () => 0,
    subordinate: () => application.subordinateTo.length > 0,
    status: () => application.status.current,
    'workload-version': () => application.workloadVersion ?? '',
    units: () => unitsOf(units(), status, looked),
    machines: () => {
      const ids = new Set(units().map(({ machine }) => machine));
      return machinesOf(
        status.machines.filter(({ id }) => ids.has(id)),
        looked,
      );
    },
  };
}

function unitFields(unit: UnitStatus, status: FullStatus, looked: Looked): Fields {
  const application = unit.name.split('/')[0] ?? '';
  const owner = status.applications.find(({ name }) => name === application);
  return {
    name: () => unit.name,
    application: () => application,
    base: () => (owner === undefined ? '' : `${owner.base.name}@${owner.base.channel}`),
    'charm-url': () => owner?.charm.url ?? '',
    life: () => unit.life ?? 'alive',
    'public-address': () => unit.address ?? '',
    'private-address': () => unit.address ?? '',
    'machine-id': () => unit.machine ?? '',
    principal: () => principalOf(unit.name, status),
    subordinate: () => principalOf(unit.name, status) !== '',
    'workload-status': () => unit.workload.current,
    'workload-message': () => unit.workload.message ?? '',
    'agent-status': () => unit.agent.current,
    leader: () => unit.leader,
    machines: () =>
      machinesOf(
        status.machines.filter(({ id }) => id === unit.machine),
        looked,
      ),
  };
}

function principalOf(name: string, { applications }: FullStatus): string {
  const principals = applications.flatMap(({ units }) => units);
  return (
    principals.find(({ subordinates }) => subordinates.some((one) => one.name === name))?.name ?? ''
  );
}

function machineFields(machine: MachineStatus): Fields {
  return {
    id: () => machine.id,
    life: () => 'alive',
    status: () => machine.agent.current,
    'agent-status': () => machine.agent.current,
    'instance-status': () => machine.machine.current,
    base: () => `${machine.base.name}@${machine.base.channel}`,
    'container-type': () => '',
    'supported-containers': () => [],
  };
}

function unitsOf(units: readonly UnitStatus[], status: FullStatus, looked: Looked): Value {
  return children('units', 'unit', looked, units, (one) => [
    one.name,
    unitFields(one, status, looked),
  ]);
}

function machinesOf(machines: readonly MachineStatus[], looked: Looked): Value {
  return children('machines', 'machine', looked, machines, (one) => [one.id, machineFields(one)]);
}

function children<T>(
  group: string,
  kind: Kind,
  looked: Looked,
  items: readonly T[],
  describe: (item: T) => readonly [name: string, fields: Fields],
): Value {
  const entries = items.map((item) => {
    const [name, fields] = describe(item);
    const properties: Record<string, OutputValue> = {};
    looked.children[group] = { ...looked.children[group], [name]: properties };
    return [name, scopeOf(fields, kind, properties)] as const;
  });
  return { scopes: new Map(entries) };
}
