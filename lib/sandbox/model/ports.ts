/** Port ranges as Juju writes them: `80/tcp`, `8080-8088/udp`, `icmp`. */
import type { PortRange } from './documents.ts';

export function formatPort({ from, to, protocol }: PortRange): string {
  if (protocol === 'icmp') {
    return 'icmp';
  }
  return from === to ? `${from}/${protocol}` : `${from}-${to}/${protocol}`;
}

export function samePort(a: PortRange, b: PortRange): boolean {
  return a.protocol === b.protocol && a.from === b.from && a.to === b.to;
}

export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.protocol === b.protocol && a.from <= b.to && b.from <= a.to;
}

/** By protocol, then by number. */
export function comparePorts(a: PortRange, b: PortRange): number {
  if (a.protocol !== b.protocol) {
    return a.protocol < b.protocol ? -1 : 1;
  }
  return a.from - b.from || a.to - b.to;
}
