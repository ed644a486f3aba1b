/** open-port, close-port, opened-ports. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { stringList } from './values.ts';

export interface PortOptions {
  /** Only for these endpoints, instead of all. */
  readonly endpoints?: readonly string[];
}

/** Ports as Juju writes them: `80/tcp`, `8080-8088/udp`, `icmp`. */
export function openedPorts(tools: HookToolRunner): readonly string[] {
  return stringList(callJson(tools, { tool: 'opened-ports', args: [] }));
}

export interface EndpointPorts {
  /** As Juju writes it: `80/tcp`. */
  readonly port: string;
  /** Undefined: opened for all endpoints. */
  readonly endpoints: readonly string[] | undefined;
}

/** The same with the endpoints each port is opened for. */
export function openedPortsByEndpoint(tools: HookToolRunner): readonly EndpointPorts[] {
  const lines = stringList(callJson(tools, { tool: 'opened-ports', args: ['--endpoints'] }));
  return lines.map((line) => {
    const [, port = line, endpoints = '*'] = /^(\S+) \((.*)\)$/.exec(line) ?? [];
    return { port, endpoints: endpoints === '*' ? undefined : endpoints.split(', ') };
  });
}

export function openPort(tools: HookToolRunner, port: string, options: PortOptions = {}): void {
  callTool(tools, { tool: 'open-port', args: [port, ...endpointArgs(options)] });
}

export function closePort(tools: HookToolRunner, port: string, options: PortOptions = {}): void {
  callTool(tools, { tool: 'close-port', args: [port, ...endpointArgs(options)] });
}

function endpointArgs({ endpoints }: PortOptions): readonly string[] {
  return endpoints === undefined ? [] : ['--endpoints', endpoints.join(',')];
}
