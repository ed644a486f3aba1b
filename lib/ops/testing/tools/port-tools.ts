/** open-port, close-port, opened-ports in memory, with Juju's grammar and its conflicts. */
import { parseArguments, ToolFailure } from './arguments.ts';
import type { Tool } from './tool.ts';

interface PortRange {
  /** As Juju writes it: `80/tcp`, `8080-8088/udp`, `icmp`. */
  readonly text: string;
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
}

export const portTools: Readonly<Record<string, Tool>> = {
  'opened-ports': (world, args) => {
    const named = parseArguments(args, { flags: ['--endpoints'] }).flags.has('--endpoints');
    return [...world.openedPorts]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([port, endpoints]) => (named ? `${port} (${endpoints.join(', ') || '*'})` : port));
  },
  'open-port': (world, args) => {
    const { wanted, endpoints } = parseCall(args);
    const taken = [...world.openedPorts.keys()].find(
      (opened) => opened !== wanted.text && overlap(parsePort(opened), wanted),
    );
    if (taken !== undefined) {
      const unit = `(unit "${world.unitName}")`;
      const isGiven = world.given.openedPorts.some((text) => parseOpened(text)[0] === taken);
      const other = `port range conflicts with ${taken} ${unit}${isGiven ? '' : ' requested earlier'}`;
      throw new ToolFailure(`cannot open ${wanted.text} ${unit}: ${other}`);
    }
    world.openedPorts.set(wanted.text, endpoints);
  },
  'close-port': (world, args) => {
    world.openedPorts.delete(parseCall(args).wanted.text);
  },
};

function parseCall(args: readonly string[]) {
  const parsed = parseArguments(args, { values: ['--endpoints'] });
  const [port] = parsed.rest;
  if (port === undefined) {
    throw new ToolFailure('no port or range specified', 2);
  }
  const names = (parsed.values.get('--endpoints') ?? '*').split(',').map((name) => name.trim());
  const endpoints = names.filter((name) => name !== '' && name !== '*');
  return { wanted: parsePort(port.toLowerCase()), endpoints };
}

/** From a port of a state: `80/tcp`, or `80/tcp (a, b)` where it is opened for some endpoints. */
export function parseOpened(text: string): readonly [port: string, endpoints: readonly string[]] {
  const [, port = text, endpoints] = /^(\S+) \((.+)\)$/.exec(text) ?? [];
  return [port, endpoints?.split(', ') ?? []];
}

/** As parseOpened() reads it. */
export function formatOpened([port, endpoints]: readonly [string, readonly string[]]): string {
  return endpoints.length === 0 ? port : `${port} (${endpoints.join(', ')})`;
}

/** @throws ToolFailure in Juju's words for what is no port. */
export function parsePort(text: string): PortRange {
  if (text === 'icmp') {
    return { text, protocol: 'icmp', from: 0, to: 0 };
  }
  const [, from = '', to = from, protocol = 'tcp'] =
    /^(\d+)(?:-(\d+))?(?:\/([a-z]+))?$/.exec(text) ?? [];
  if (from === '') {
    const expected = 'expected <port>[/<protocol>] or <from>-<to>[/<protocol>] or icmp';
    throw new ToolFailure(`invalid port "${text}"; ${expected}`, 2);
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    const expected = 'expected "tcp", "udp", or "icmp"';
    throw new ToolFailure(`invalid protocol "${protocol}", ${expected}`, 2);
  }
  const range = { protocol, from: Number(from), to: Number(to) };
  checkBounds(range);
  const ports = range.from === range.to ? from : `${from}-${to}`;
  return { ...range, text: `${ports}/${protocol}` };
}

function checkBounds({ from, to }: { readonly from: number; readonly to: number }): void {
  if (from > to) {
    throw new ToolFailure(`invalid port range ${from}-${to}`, 2);
  }
  if (to > 65_535) {
    const got = `got ${from}-${to}`;
    throw new ToolFailure(`port range bounds must be between 0 and 65535, ${got}`, 2);
  }
}

/** Whether two ranges share a port: Juju opens a port by one range only. */
export function overlap(one: PortRange, other: PortRange): boolean {
  return one.protocol === other.protocol && one.from <= other.to && other.from <= one.to;
}
