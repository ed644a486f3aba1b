/** network-get. */
import { callJson, type HookToolRunner } from './runner.ts';
import { optionalString, plainMap, stringList } from './values.ts';

export interface InterfaceAddress {
  readonly interfaceName: string | undefined;
  readonly address: string;
  readonly cidr: string | undefined;
}

export interface NetworkInfo {
  readonly bindAddresses: readonly InterfaceAddress[];
  readonly ingressAddresses: readonly string[];
  readonly egressSubnets: readonly string[];
}

/** Addresses of a binding: an endpoint, or a name of `extra-bindings`. */
export function networkGet(tools: HookToolRunner, binding: string): NetworkInfo {
  const value = plainMap(callJson(tools, { tool: 'network-get', args: [binding] }));
  const interfaces = value['bind-addresses'];
  return {
    bindAddresses: Array.isArray(interfaces) ? interfaces.flatMap(parseInterface) : [],
    ingressAddresses: stringList(value['ingress-addresses']),
    egressSubnets: stringList(value['egress-subnets']),
  };
}

function parseInterface(value: unknown): readonly InterfaceAddress[] {
  const fields = plainMap(value);
  const addresses = fields['addresses'];
  const interfaceName = optionalString(fields['interface-name']);
  return (Array.isArray(addresses) ? addresses : []).flatMap((item: unknown) => {
    const address = optionalString(plainMap(item)['value']);
    const cidr = optionalString(plainMap(item)['cidr']);
    return address === undefined ? [] : [{ interfaceName, address, cidr }];
  });
}
