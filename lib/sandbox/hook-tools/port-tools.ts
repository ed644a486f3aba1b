/** open-port, close-port, opened-ports. */
import type { PortRange } from '../model/documents.ts';
import { comparePorts, formatPort } from '../model/ports.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import { deprecatedFormat } from './relation-tools.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, usageError } from './tool-error.ts';

const PORT_FLAGS = { endpoints: { kind: 'text' }, format: { kind: 'text' } } as const;
const MAX_PORT = 65_535;

function portTool(name: 'open-port' | 'close-port', summary: string): Tool {
  return {
    name,
    summary,
    usage: '[options] <port>[/<protocol>] or <from>-<to>[/<protocol>] or icmp',
    flags: PORT_FLAGS,
    run(call) {
      const [text, ...extra] = call.args;
      if (text === undefined) {
        throw usageError('no port or range specified');
      }
      const range = { ...parsePortRange(text), endpoints: endpointsOf(call) };
      refuseExtra(extra);
      if (name === 'open-port') {
        call.context.ports.open(range);
      } else {
        call.context.ports.close(range);
      }
      return deprecatedFormat(call, name);
    },
  };
}

/** `80`, `80/tcp`, `8080-8088/udp`, `icmp`. @throws ToolError (2). */
function parsePortRange(text: string): PortRange {
  if (text.toLowerCase() === 'icmp') {
    return { from: -1, to: -1, protocol: 'icmp', endpoints: [] };
  }
  const [numbers = '', protocol = 'tcp', ...rest] = text.toLowerCase().split('/');
  if (protocol === 'icmp') {
    throw usageError(`protocol "icmp" doesn't support any ports; got ${JSON.stringify(numbers)}`);
  }
  const match = /^(\d+)(?:-(\d+))?$/.exec(numbers);
  if (match === null || rest.length > 0) {
    throw usageError(
      `invalid port ${JSON.stringify(text)}; expected <port>[/<protocol>] or <from>-<to>[/<protocol>] or icmp`,
    );
  }
  if (protocol !== 'tcp' && protocol !== 'udp') {
    throw usageError(
      `invalid protocol ${JSON.stringify(protocol)}, expected "tcp", "udp", or "icmp"`,
    );
  }
  const range = { from: Number(match[1]), to: Number(match[2] ?? match[1]) };
  refuseBounds(range, protocol);
  return { ...range, protocol, endpoints: [] };
}

function refuseBounds({ from, to }: { from: number; to: number }, protocol: string): void {
  if (from > to) {
    throw usageError(`invalid port range ${from}-${to}/${protocol}`);
  }
  if (to > MAX_PORT) {
    throw usageError(`port range bounds must be between 0 and ${MAX_PORT}, got ${from}-${to}`);
  }
}

function endpointsOf({ flags }: ToolCall): readonly string[] {
  const text = flags.text('endpoints') ?? '';
  return text === '' || text === '*' ? [] : text.split(',').map((name) => name.trim());
}

const openedPorts: Tool = {
  name: 'opened-ports',
  summary: 'List all ports or port ranges opened by the unit.',
  usage: '[options]',
  flags: { ...OUTPUT_FLAGS, endpoints: { kind: 'boolean' } },
  run(call) {
    refuseExtra(call.args);
    const withEndpoints = call.flags.boolean('endpoints');
    const ports = call.context
      .openedPorts()
      .toSorted(comparePorts)
      .map((range) => {
        const names = range.endpoints.length === 0 ? '*' : range.endpoints.join(', ');
        return withEndpoints ? `${formatPort(range)} (${names})` : formatPort(range);
      });
    return answer(call, ports);
  },
};

export const portTools: readonly Tool[] = [
  portTool('open-port', 'Register a request to open a port or port range.'),
  portTool('close-port', 'Register a request to close a port or port range.'),
  openedPorts,
];
