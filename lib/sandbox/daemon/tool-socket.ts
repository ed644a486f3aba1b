/** The socket of the hook tools: one call a connection, as `hook-tool.pl` sends it. */
import type { Server, Socket } from 'node:net';
import type { ToolResult } from '../hook-tools/run-tool.ts';
import { listenAt } from './socket-server.ts';
import type { BinaryResult, ToolCallMessage } from './tool-call.ts';

/** Answers one call; `readStdin` asks the caller for its standard input. */
type AnswerTool = (
  message: ToolCallMessage,
  readStdin: () => Promise<Buffer>,
) => Promise<BinaryResult>;

/** Listens at `path` until the server is closed. */
export async function listenForTools(
  path: string,
  {
    answer,
    onDefect,
  }: { readonly answer: AnswerTool; readonly onDefect: (error: unknown) => void },
): Promise<Server> {
  return await listenAt(path, (socket) => {
    serve(socket, answer).catch((error: unknown) => {
      onDefect(error);
      socket.destroy();
    });
  });
}

export function toBinary({ code, stdout, stderr }: ToolResult): BinaryResult {
  return { code, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}

async function serve(socket: Socket, answer: AnswerTool): Promise<void> {
  socket.on('error', () => undefined);
  const fields = new FieldReader(socket);
  const message = parseMessage(await fields.readMessage());
  const result = await answer(message, async () => {
    socket.write('stdin\n');
    return await fields.readField();
  });
  socket.write(`${result.code} ${result.stdout.length} ${result.stderr.length}\n`);
  socket.write(result.stdout);
  socket.end(result.stderr);
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
