/** network-get. */
import type { RelationKey } from './relation.ts';
import { callJson, type HookToolRunner } from './runner.ts';
import { optionalString, plainMap, stringList } from './values.ts';

export interface InterfaceAddress {
  readonly interfaceName: string | undefined;
  readonly macAddress: string | undefined;
  readonly hostname: string | undefined;
  readonly address: string;
  readonly cidr: string | undefined;
}

export interface NetworkInfo {
  readonly bindAddresses: readonly InterfaceAddress[];
  readonly ingressAddresses: readonly string[];
  readonly egressSubnets: readonly string[];
}

/**
 * Addresses of a binding: an endpoint, or a name of `extra-bindings`. With a relation those the other
 * end of that relation is to use: ingress and egress differ across models.
 */
export function networkGet(
  tools: HookToolRunner,
  binding: string,
  options: { readonly relation?: RelationKey } = {},
): NetworkInfo {
  const { relation } = options;
  const which = relation === undefined ? [] : ['-r', `${relation.endpoint}:${relation.id}`];
  const value = plainMap(callJson(tools, { tool: 'network-get', args: [...which, binding] }));
  const interfaces = value['bind-addresses'];
  return {
    bindAddresses: Array.isArray(interfaces) ? interfaces.flatMap(parseInterface) : [],
    ingressAddresses: stringList(value['ingress-addresses']),
    egressSubnets: stringList(value['egress-subnets']),
  };
}

function parseInterface(value: unknown): readonly InterfaceAddress[] {
  const fields = plainMap(value);
  const { addresses } = fields;
  const shared = {
    interfaceName: optionalString(fields['interface-name']),
    macAddress: optionalString(fields['mac-address']),
  };
  return (Array.isArray(addresses) ? addresses : []).flatMap((item: unknown) => {
    const { value: address, hostname, cidr } = plainMap(item);
    return typeof address === 'string' && address !== ''
      ? [{ ...shared, address, hostname: optionalString(hostname), cidr: optionalString(cidr) }]
      : [];
  });
}
