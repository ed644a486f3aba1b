/** The daemon's end of the `juju` command's calls. */
import type { Server, Socket } from 'node:net';
import { describeError, HintError } from '#system';
import type { ErrorCode, Request, WireError } from '../api.ts';
import { createLineReader, encodeLine } from '../client/wire.ts';
import type { CallContext } from './calls/call-context.ts';
import { handlers, streams } from './calls/handlers.ts';
import { listenAt } from './socket-server.ts';

const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'not-found',
  'already-exists',
  'invalid',
  'refused',
  'timeout',
]);

export async function serveCalls(context: CallContext): Promise<Server> {
  return await listenAt(context.services.paths.daemonSocket, (socket) => {
    serve(context, socket);
  });
}

function serve(context: CallContext, socket: Socket): void {
  const cancelled = new AbortController();
  socket.on('error', () => undefined);
  socket.on('close', () => {
    cancelled.abort();
  });
  socket.setEncoding('utf8');
  const read = createLineReader((line) => {
    answer(context, line, { socket, signal: cancelled.signal }).catch((error: unknown) => {
      if (!cancelled.signal.aborted) {
        socket.end(encodeLine({ error: toWire(context, error) }));
      }
    });
  });
  socket.on('data', read);
}

async function answer(
  context: CallContext,
  line: string,
  { socket, signal }: { readonly socket: Socket; readonly signal: AbortSignal },
): Promise<void> {
  const { call, params } = JSON.parse(line) as Request;
  context.services.recorder.command(call, params);
  const stream = streams[call];
  if (stream !== undefined) {
    for await (const item of stream(context, params, signal)) {
      socket.write(encodeLine({ item }));
    }
    socket.end(encodeLine({ end: true }));
    return;
  }
  const handler = handlers[call];
  if (handler === undefined) {
    throw new HintError(`the sandbox has no call ${JSON.stringify(call)}`, { code: 'refused' });
  }
  const result = await handler(context, params, signal);
  socket.end(encodeLine({ result }));
}

function toWire(context: CallContext, error: unknown): WireError {
  if (error instanceof HintError && CODES.has(error.code)) {
    return { message: describeError(error), code: error.code as ErrorCode };
  }
  context.services.onDefect(error);
  return { message: describeError(error), code: 'internal' };
}
