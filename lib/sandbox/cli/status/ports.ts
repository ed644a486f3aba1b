/** Open ports in the short form of the tables. */
import { compareNaturally } from '../../go-output/natural-sort.ts';

/** `80,443/tcp 53/udp icmp`: one group a protocol. */
export function groupPorts(ports: readonly string[]): string {
  const groups = new Map<string, string[]>();
  const loners: string[] = [];
  for (const port of ports.toSorted(compareNaturally)) {
    const [range = '', protocol] = port.split('/');
    if (protocol === undefined) {
      loners.push(port);
      continue;
    }
    groups.set(protocol, [...(groups.get(protocol) ?? []), range]);
  }
  const grouped = [...groups]
    .toSorted(([a], [b]) => compareNaturally(a, b))
    .map(([protocol, ranges]) => `${ranges.join(',')}/${protocol}`);
  return [...grouped, ...loners].join(' ');
}
