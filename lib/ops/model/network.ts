/** Where a binding of this unit can be reached. */
import { type InterfaceAddress, networkGet, type RelationKey } from '../hook-tools/index.ts';
import type { Session } from './session.ts';

export interface Network {
  readonly binding: string;
  /** The first address to listen on. */
  readonly bindAddress: string | undefined;
  readonly bindAddresses: readonly InterfaceAddress[];
  /** The first address others reach it by. */
  readonly ingressAddress: string | undefined;
  readonly ingressAddresses: readonly string[];
  readonly egressSubnets: readonly string[];
}

/** Of a binding, or as the other end of a relation is to use it. */
export function readNetwork(session: Session, of: string | RelationKey): Network {
  const binding = typeof of === 'string' ? of : of.endpoint;
  const info = networkGet(session.tools, binding, typeof of === 'string' ? {} : { relation: of });
  return Object.freeze({
    binding,
    bindAddress: info.bindAddresses[0]?.address,
    ingressAddress: info.ingressAddresses[0],
    ...info,
  });
}
