/** Everything about the unit and its application in memory: config, status, leadership, ports, … */
import { statusFromName } from '../../model/status.ts';
import type { World } from '../world.ts';
import { parseArguments, ToolFailure } from './arguments.ts';
import { Json, type Tool } from './tool.ts';

const SETTABLE = ['maintenance', 'blocked', 'waiting', 'active'];

export const unitTools: Readonly<Record<string, Tool>> = {
  'config-get': (world, args) => {
    const name = parseArguments(args, { flags: ['--all'] }).rest[0];
    const defaults = [...world.meta.options.values()]
      .filter((option) => option.default !== undefined)
      .map((option) => [option.name, option.default] as const);
    const values = { ...Object.fromEntries(defaults), ...world.given.config };
    return name === undefined ? values : new Json(values[name]);
  },
  'is-leader': (world, args) => {
    parseArguments(args, {});
    return world.leader;
  },
  'goal-state': (world, args) => {
    parseArguments(args, {});
    const others = Array.from({ length: world.given.plannedUnits - 1 }, (_, index) => [
      `${world.appName}/${1000 + index}`,
      { status: 'active' },
    ]);
    return { units: { [world.unitName]: { status: 'active' }, ...Object.fromEntries(others) } };
  },
  'application-version-set': (world, args) => {
    world.workloadVersion = parseArguments(args, {}).rest[0] ?? '';
  },
  'status-get': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--include-data', '--application'] });
    const application = parsed.flags.has('--application');
    if (application && !world.leader) {
      throw new ToolFailure('finding application status: this unit is not the leader');
    }
    const { name, message } = application ? world.appStatus : world.unitStatus;
    const value = { status: name, message, 'status-data': {} };
    return application ? { 'application-status': value } : value;
  },
  'status-set': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--application'] });
    const [name = '', message = ''] = parsed.rest;
    if (!SETTABLE.includes(name)) {
      throw new ToolFailure(`invalid status "${name}", expected one of [${SETTABLE.join(' ')}]`, 2);
    }
    setStatus(world, name, message, parsed.flags.has('--application'));
  },
  'juju-log': (world, args) => {
    const parsed = parseArguments(args, { values: ['-l|--log-level'] });
    world.recording.jujuLog.push({
      level: parsed.values.get('--log-level') ?? 'INFO',
      message: parsed.rest.join(' '),
    });
  },
  'opened-ports': (world, args) => {
    parseArguments(args, {});
    return [...world.openedPorts].toSorted();
  },
  'open-port': (world, args) => {
    world.openedPorts.add(portOf(args));
  },
  'close-port': (world, args) => {
    world.openedPorts.delete(portOf(args));
  },
  'network-get': (world, args) => network(world, parseArguments(args, {}).rest[0] ?? ''),
  'storage-list': (world, args) => {
    const name = parseArguments(args, {}).rest[0];
    return world.given.storages
      .map((storage) => storage.id)
      .filter((id) => name === undefined || id.startsWith(`${name}/`));
  },
  'storage-get': (world, args) => {
    const id = parseArguments(args, { values: ['-s'] }).values.get('-s');
    const storage = world.given.storages.find((it) => it.id === id);
    if (storage === undefined) {
      throw new ToolFailure(`invalid value "${id ?? ''}" for option -s: storage not found`, 2);
    }
    return { kind: storage.kind, location: storage.location };
  },
  'storage-add': (world, args) => {
    for (const directive of parseArguments(args, {}).rest) {
      const [name = '', count = '1'] = directive.split('=');
      const asked = world.recording.requestedStorages;
      asked[name] = (asked[name] ?? 0) + Number(count);
    }
  },
  'resource-get': (world, args) => {
    const name = parseArguments(args, {}).rest[0] ?? '';
    const path = world.given.resources[name];
    if (path === undefined) {
      throw new ToolFailure(`could not download resource: resource "${name}" not found`);
    }
    return path;
  },
  'credential-get': () => {
    throw new ToolFailure('cannot access cloud credentials: application is not trusted');
  },
};

function setStatus(world: World, name: string, message: string, application: boolean): void {
  const status = statusFromName(name, message);
  if (!application) {
    world.unitStatus = status;
    world.recording.unitStatuses.push(status);
    return;
  }
  if (!world.leader) {
    throw new ToolFailure('this unit is not the leader');
  }
  world.appStatus = status;
  world.recording.appStatuses.push(status);
}

function portOf(args: readonly string[]): string {
  const port = parseArguments(args, { values: ['--endpoints'] }).rest[0] ?? '';
  return port === 'icmp' || port.includes('/') ? port : `${port}/tcp`;
}

function network(world: World, binding: string): unknown {
  const { meta, given } = world;
  if (!meta.endpoints.has(binding) && !meta.extraBindings.includes(binding)) {
    throw new ToolFailure(`no network config found for binding "${binding}"`);
  }
  const named = given.networks[binding];
  const address = named?.bindAddress ?? '192.0.2.0';
  return {
    'bind-addresses': [
      { 'interface-name': 'eth0', addresses: [{ hostname: '', value: address, cidr: '' }] },
    ],
    'ingress-addresses': [named?.ingressAddress ?? address],
    'egress-subnets': named?.egressSubnets ?? [`${address}/32`],
  };
}
