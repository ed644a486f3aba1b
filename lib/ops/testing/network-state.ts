/** Networks of a test's state: what a binding of the unit looks like. */
import { frozenCopy } from './freeze.ts';

/** One address the unit can listen on. */
export interface BindAddressState {
  readonly address: string;
  readonly interfaceName?: string;
  readonly cidr?: string;
  readonly hostname?: string;
  readonly macAddress?: string;
}

export interface NetworkState {
  readonly bindAddress: string;
  readonly ingressAddress: string;
  readonly egressSubnets: readonly string[];
  /** Of the first address; `eth0` unless told. */
  readonly interfaceName?: string;
  /** Of the first address: `10.0.0.0/24`. */
  readonly cidr?: string;
  /** Of the first address. */
  readonly hostname?: string;
  /** Of the first address. */
  readonly macAddress?: string;
  readonly moreBindAddresses?: readonly BindAddressState[];
  readonly moreIngressAddresses?: readonly string[];
}

const ADDRESS = '192.0.2.0';

/** A network with one address, reached by the same address, unless told otherwise. */
export function network(fields: Partial<NetworkState> = {}): NetworkState {
  const bindAddress = fields.bindAddress ?? ADDRESS;
  return frozenCopy({
    bindAddress,
    ingressAddress: bindAddress,
    egressSubnets: [`${bindAddress}/32`],
    ...fields,
  });
}

/** As network-get prints it. */
export function printedNetwork(given: NetworkState): Readonly<Record<string, unknown>> {
  const { bindAddress: address, ingressAddress, egressSubnets, ...first } = given;
  const addresses = [{ ...first, address }, ...(given.moreBindAddresses ?? [])];
  return {
    'bind-addresses': addresses.map(printedInterface),
    'ingress-addresses': [ingressAddress, ...(given.moreIngressAddresses ?? [])],
    'egress-subnets': egressSubnets,
  };
}

function printedInterface(given: BindAddressState): Readonly<Record<string, unknown>> {
  const { address, interfaceName = 'eth0', cidr = '', hostname = '', macAddress = '' } = given;
  return {
    'mac-address': macAddress,
    'interface-name': interfaceName,
    addresses: [{ hostname, value: address, cidr }],
  };
}
