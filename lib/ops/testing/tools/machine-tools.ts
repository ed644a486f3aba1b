/** The unit's machine in memory: networks, storages, resources, credentials, reboot. */
import { printedCloudSpec } from '../cloud-state.ts';
import { network, printedNetwork } from '../network-state.ts';
import { storageName } from '../storage-state.ts';
import type { World } from '../world.ts';
import { parseArguments, ToolFailure } from './arguments.ts';
import { findRelation } from './relation-tools.ts';
import { Json, type Tool } from './tool.ts';

const NETWORK_FLAGS = [
  '--bind-address',
  '--ingress-address',
  '--egress-subnets',
  '--primary-address',
];

export const machineTools: Readonly<Record<string, Tool>> = {
  'network-get': (world, args) => {
    const parsed = parseArguments(args, { values: ['--relation|-r'], flags: NETWORK_FLAGS });
    const relation = parsed.values.get('-r');
    if (relation !== undefined) {
      findRelation(world, relation);
    }
    const [binding] = parsed.rest;
    if (binding === undefined) {
      throw new ToolFailure('no arguments specified', 2);
    }
    if (binding === '') {
      throw new ToolFailure('no binding name specified', 2);
    }
    return partsOf(world, binding, parsed.flags);
  },
  'unit-get': (world, args) => {
    const [setting] = parseArguments(args, {}).rest;
    if (setting === undefined) {
      throw new ToolFailure('no setting specified', 2);
    }
    if (setting !== 'private-address' && setting !== 'public-address') {
      throw new ToolFailure(`unknown setting "${setting}"`, 2);
    }
    return new Json((world.given.networks['juju-info'] ?? network()).ingressAddress);
  },
  'storage-list': (world, args) => {
    const name = parseArguments(args, {}).rest[0];
    return world.given.storages
      .map((storage) => storage.id)
      .filter((id) => name === undefined || id.startsWith(`${name}/`));
  },
  'storage-get': (world, args) => {
    const parsed = parseArguments(args, { values: ['-s'] });
    const id = parsed.values.get('-s') ?? world.event.storage?.id;
    if (id === undefined) {
      throw new ToolFailure('no storage instance specified', 2);
    }
    const storage = world.given.storages.find((it) => it.id === id);
    if (storage === undefined) {
      throw new ToolFailure(`invalid value "${id}" for option -s: storage not found`, 2);
    }
    const attributes = { kind: storage.kind, location: storage.location };
    const wanted = parsed.rest[0];
    if (wanted === undefined) {
      return attributes;
    }
    if (wanted !== 'kind' && wanted !== 'location') {
      throw new ToolFailure(`invalid storage attribute "${wanted}"`);
    }
    return new Json(attributes[wanted]);
  },
  'storage-add': (world, args) => {
    const directives = parseArguments(args, {}).rest;
    if (directives.length === 0) {
      throw new ToolFailure('storage add requires a storage directive', 2);
    }
    for (const directive of directives) {
      addStorage(world, directive);
    }
  },
  'resource-get': (world, args) => {
    const name = parseArguments(args, {}).rest[0];
    if (name === undefined) {
      throw new ToolFailure('missing required resource name', 2);
    }
    const path = world.given.resources[name];
    if (path === undefined) {
      throw new ToolFailure(`could not download resource: resource "${name}" not found`);
    }
    return path;
  },
  'credential-get': (world, args) => {
    parseArguments(args, {});
    const { cloudSpec } = world.given.model;
    if (!world.trusted || cloudSpec === undefined) {
      const reason = world.trusted ? 'the state has no model.cloudSpec' : 'permission denied';
      throw new ToolFailure(`cannot access cloud credentials: ${reason}`);
    }
    return printedCloudSpec(cloudSpec);
  },
  'juju-reboot': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--now'] });
    if (world.event.action !== undefined) {
      throw new ToolFailure('juju-reboot is not supported when running an action.');
    }
    world.recording.reboot = parsed.flags.has('--now') ? 'now' : 'after the hook';
  },
};

function addStorage(world: World, directive: string): void {
  const [name = '', count = '1'] = directive.split('=');
  if (!/^[1-9]\d*$/.test(count)) {
    throw new ToolFailure(`only count can be specified for "${name}"`, 2);
  }
  const declared = world.meta.storages.get(name);
  if (declared === undefined) {
    throw new ToolFailure(`charm storage "${name}" not found`);
  }
  const asked = world.recording.requestedStorages;
  const requested = (asked[name] ?? 0) + Number(count);
  const attached = world.given.storages.filter(({ id }) => storageName(id) === name).length;
  const { limit = Number.POSITIVE_INFINITY } = declared;
  if (attached + requested > limit) {
    // Juju says so when the hook ends, and fails it.
    const got = `${attached + requested} specified`;
    throw new ToolFailure(`charm storage "${name}": at most ${limit} instances supported, ${got}`);
  }
  asked[name] = requested;
}

/** The whole, or what the flags ask for; one flag alone gives a bare value. */
function partsOf(world: World, binding: string, flags: ReadonlySet<string>): unknown {
  const { meta, given } = world;
  const named = given.networks[binding];
  const isDeclared =
    binding === 'juju-info' || meta.endpoints.has(binding) || meta.extraBindings.includes(binding);
  if (!isDeclared && named === undefined) {
    throw new ToolFailure(`no network config found for binding "${binding}"`);
  }
  const found = named ?? network();
  const parts = {
    'bind-address': found.bindAddress,
    'primary-address': found.bindAddress,
    'ingress-address': found.ingressAddress,
    'egress-subnets': found.egressSubnets,
  };
  const wanted = Object.entries(parts).filter(([name]) => flags.has(`--${name}`));
  const [first] = wanted;
  if (first === undefined) {
    return printedNetwork(found);
  }
  return wanted.length === 1 ? new Json(first[1]) : Object.fromEntries(wanted);
}
