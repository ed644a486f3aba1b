/** open-port, close-port, opened-ports. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { stringList } from './values.ts';

/** Ports as Juju writes them: `80/tcp`, `8080-8088/udp`, `icmp`. */
export function openedPorts(tools: HookToolRunner): readonly string[] {
  return stringList(callJson(tools, { tool: 'opened-ports', args: [] }));
}

export function openPort(tools: HookToolRunner, port: string): void {
  callTool(tools, { tool: 'open-port', args: [port] });
}

export function closePort(tools: HookToolRunner, port: string): void {
  callTool(tools, { tool: 'close-port', args: [port] });
}
