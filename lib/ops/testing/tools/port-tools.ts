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
    parseArguments(args, { flags: ['--endpoints'] });
    return [...world.openedPorts].toSorted();
  },
  'open-port': (world, args) => {
    const wanted = argument(args);
    if (world.openedPorts.has(wanted.text)) {
      return;
    }
    const taken = [...world.openedPorts].find((opened) => overlap(parsePort(opened), wanted));
    if (taken !== undefined) {
      const unit = `(unit "${world.unitName}")`;
      const other = `port range conflicts with ${taken} ${unit}`;
      throw new ToolFailure(`cannot open ${wanted.text} ${unit}: ${other}`);
    }
    world.openedPorts.add(wanted.text);
  },
  'close-port': (world, args) => {
    world.openedPorts.delete(argument(args).text);
  },
};

function argument(args: readonly string[]): PortRange {
  const port = parseArguments(args, { values: ['--endpoints'] }).rest[0];
  if (port === undefined) {
    throw new ToolFailure('no port or range specified', 2);
  }
  return parsePort(port.toLowerCase());
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
