/** The other end of the hook tools: reads their calls, answers from the context they name. */
import type { Server, Socket } from 'node:net';
import type { AgentServices } from '../agent/services.ts';
import { runTool, type ToolResult } from '../hook-tools/run-tool.ts';
import type { Agents } from './agents.ts';
import { jujuExec } from './juju-exec.ts';
import { listenAt } from './socket-server.ts';
import type { BinaryResult, ToolCallMessage } from './tool-call.ts';

export async function serveTools(services: AgentServices, agents: Agents): Promise<Server> {
  return await listenAt(services.paths.agentSocket, (socket) => {
    serve(socket, services, agents).catch((error: unknown) => {
      services.onDefect(error);
      socket.destroy();
    });
  });
}

async function serve(socket: Socket, services: AgentServices, agents: Agents): Promise<void> {
  socket.on('error', () => undefined);
  const fields = new FieldReader(socket);
  const message = parseMessage(await fields.readMessage());
  const result = await answer(services, agents, message, async () => {
    socket.write('stdin\n');
    return await fields.readField();
  });
  socket.write(`${result.code} ${result.stdout.length} ${result.stderr.length}\n`);
  socket.write(result.stdout);
  socket.end(result.stderr);
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
  const { command, args, cwd } = message;
  const first = runTool({ context, command, args, cwd });
  if (first !== 'need-stdin') {
    return toBinary(first);
  }
  const stdin = (await readStdin()).toString('utf8');
  const second = runTool({ context, command, args, cwd, stdin });
  return toBinary(
    second === 'need-stdin' ? { code: 1, stdout: '', stderr: 'ERROR no standard input\n' } : second,
  );
}

function toBinary({ code, stdout, stderr }: ToolResult): BinaryResult {
  return { code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}

function parseMessage(fields: readonly Buffer[]): ToolCallMessage {
  const [command = '', contextId = '', cwd = '/', unit = '', ...args] = fields.map((field) =>
    field.toString('utf8'),
  );
  return { command, contextId, cwd, unit, args };
}

/** Reads `<count>\n` and fields `<length>:<bytes>,` from a socket. */
class FieldReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async readMessage(): Promise<readonly Buffer[]> {
    const count = Number(await this.#readUntil('\n'));
    const fields: Buffer[] = [];
    for (let index = 0; index < count; index += 1) {
      fields.push(await this.readField());
    }
    return fields;
  }

  async readField(): Promise<Buffer> {
    const length = Number(await this.#readUntil(':'));
    while (this.#buffer.length < length + 1) {
      await this.#more();
    }
    const field = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length + 1);
    return field;
  }

  async #readUntil(mark: string): Promise<string> {
    let end = this.#buffer.indexOf(mark);
    while (end === -1) {
      await this.#more();
      end = this.#buffer.indexOf(mark);
    }
    const text = this.#buffer.toString('latin1', 0, end);
    this.#buffer = this.#buffer.subarray(end + 1);
    return text;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#chunks.next();
    if (done === true) {
      throw new Error('a hook tool hung up in the middle of its call');
    }
    this.#buffer = Buffer.concat([this.#buffer, value]);
  }
}
