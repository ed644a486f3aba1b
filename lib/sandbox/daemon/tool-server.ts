/** The other end of the hook tools: reads their calls, answers from the context they name. */
import type { Server } from 'node:net';
import type { AgentServices } from '../agent/services.ts';
import { runTool } from '../hook-tools/run-tool.ts';
import type { Agents } from './agents.ts';
import { jujuExec } from './juju-exec.ts';
import type { BinaryResult, ToolCallMessage } from './tool-call.ts';
import { listenForTools, toBinary } from './tool-socket.ts';

export async function serveTools(services: AgentServices, agents: Agents): Promise<Server> {
  return await listenForTools(services.paths.agentSocket, {
    answer: async (message, readStdin) => answer(services, agents, message, readStdin),
    onDefect: services.onDefect,
  });
}

async function answer(
  services: AgentServices,
  agents: Agents,
  message: ToolCallMessage,
  readStdin: () => Promise<Buffer>,
): Promise<BinaryResult> {
  if (message.command === 'juju-exec') {
    return await jujuExec(services, agents, message);
  }
  const context = services.contexts.get(message.contextId);
  if (context === undefined) {
    return toBinary({
      code: 1,
      stdout: '',
      stderr: `ERROR bad request: expected a running context, got ${JSON.stringify(message.contextId)}\n`,
    });
  }
  const began = performance.now();
  const { command, args, cwd } = message;
  let stdin: string | undefined;
  let result = runTool({ context, command, args, cwd });
  if (result === 'need-stdin') {
    stdin = (await readStdin()).toString('utf8');
    result = runTool({ context, command, args, cwd, stdin });
  }
  const answered =
    result === 'need-stdin' ? { code: 1, stdout: '', stderr: 'ERROR no standard input\n' } : result;
  const request = { command, args, began, ...(stdin === undefined ? {} : { stdin }) };
  services.recorder.tool(context, request, answered);
  return toBinary(answered);
}
