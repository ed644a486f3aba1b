/** network-get, unit-get: every binding of a unit has the address of its machine. */
import type { JsonValue } from '../json.ts';
import { MODEL } from '../model/documents.ts';
import { addressOf, hardwareAddress } from '../model/machines.ts';
import { answer, chooseFormat, OUTPUT_FLAGS } from './output.ts';
import { findRelation, RELATION_FLAG } from './relation-argument.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const networkGet: Tool = {
  name: 'network-get',
  summary: 'Get network config.',
  usage: '[options] <binding-name> [--ingress-address] [--bind-address] [--egress-subnets]',
  flags: {
    ...OUTPUT_FLAGS,
    ...RELATION_FLAG,
    'bind-address': { kind: 'boolean' },
    'ingress-address': { kind: 'boolean' },
    'egress-subnets': { kind: 'boolean' },
    'primary-address': { kind: 'boolean' },
  },
  run(call) {
    findRelation(call);
    const [binding, ...extra] = call.args;
    if (binding === undefined) {
      throw usageError('no arguments specified');
    }
    if (binding === '') {
      throw usageError('no binding name specified');
    }
    refuseExtra(extra);
    refuseUnknownBinding(call, binding);
    return answer(call, selection(call));
  },
};

function ownAddress({ context }: ToolCall): string {
  return addressOf(context.store, context.unit, context.services.address);
}

interface OwnNetwork {
  readonly address: string;
  readonly cidr: string;
  readonly hardware: string;
  readonly interfaceName: string;
}

/** Of this host only the address is told: a machine of its own has one interface, `eth0`. */
function ownNetwork(call: ToolCall): OwnNetwork {
  const address = ownAddress(call);
  const prefix = call.context.store.require('model', MODEL).isolation?.network.prefix;
  return prefix !== undefined && address.startsWith(`${prefix}.`)
    ? {
        address,
        cidr: `${prefix}.0/24`,
        hardware: hardwareAddress(address),
        interfaceName: 'eth0',
      }
    : { address, cidr: subnet(address), hardware: '', interfaceName: '' };
}

function refuseUnknownBinding({ context }: ToolCall, binding: string): void {
  const { charm } = context.store.require('application', context.application);
  const { endpoints, extraBindings } = context.store.require('charm', charm).metadata;
  const known = [...Object.keys(endpoints), ...extraBindings, 'juju-info'];
  if (!known.includes(binding)) {
    throw new ToolError(`no network config found for binding ${JSON.stringify(binding)}`);
  }
}

function selection(call: ToolCall): JsonValue {
  const network = ownNetwork(call);
  const { address } = network;
  const chosen: [string, JsonValue][] = [];
  if (call.flags.boolean('bind-address') || call.flags.boolean('primary-address')) {
    chosen.push(['bind-address', address]);
  }
  if (call.flags.boolean('egress-subnets')) {
    chosen.push(['egress-subnets', [subnet(address)]]);
  }
  if (call.flags.boolean('ingress-address')) {
    chosen.push(['ingress-address', address]);
  }
  const [only] = chosen;
  if (only === undefined) {
    return everything(network, chooseFormat(call) === 'json');
  }
  return chosen.length === 1 ? only[1] : Object.fromEntries(chosen);
}

function everything(network: OwnNetwork, isJson: boolean): JsonValue {
  const { address, cidr, hardware, interfaceName } = network;
  const addresses = [
    {
      hostname: '',
      value: address,
      cidr,
      ...(isJson ? {} : { address }),
    },
  ];
  return {
    'bind-addresses': [
      {
        'mac-address': hardware,
        'interface-name': interfaceName,
        addresses,
        ...(isJson ? {} : { macaddress: hardware, interfacename: interfaceName }),
      },
    ],
    'egress-subnets': [subnet(address)],
    'ingress-addresses': [address],
  };
}

function subnet(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

const unitGet: Tool = {
  name: 'unit-get',
  summary: 'Print public-address or private-address.',
  usage: '[options] <setting>',
  flags: OUTPUT_FLAGS,
  run(call) {
    const [setting, ...extra] = call.args;
    if (setting === undefined) {
      throw usageError('no setting specified');
    }
    if (setting !== 'private-address' && setting !== 'public-address') {
      throw usageError(`unknown setting ${JSON.stringify(setting)}`);
    }
    refuseExtra(extra);
    return answer(call, ownAddress(call));
  },
};

export const networkTools: readonly Tool[] = [networkGet, unitGet];
