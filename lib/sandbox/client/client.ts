/** Talks to the daemon: typed calls and streams over its socket. */
import { connect } from 'node:net';
import { HintError, hasErrorCode } from '#system';
import type { CallName, Calls, Request, Response, StreamName, Streams, WireError } from '../api.ts';
import { sandboxPaths } from './paths.ts';
import { createLineReader, encodeLine } from './wire.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** The daemon refused the call; the message is Juju's. */
export class DaemonError extends HintError {
  constructor(error: WireError) {
    super(error.message, { code: error.code });
  }
}

/** No daemon answers on the socket. */
export class DaemonDownError extends HintError {
  constructor(root: string, cause?: unknown) {
    super(`cannot reach the sandbox daemon in ${root}`, {
      code: 'daemon-down',
      hint: 'run "juju bootstrap"',
      cause,
    });
  }
}

/**
 * Asks the daemon of the sandbox in `root` and waits for its one answer.
 * @throws DaemonError when it refuses, DaemonDownError when there is none or it dies meanwhile.
 */
export async function callDaemon<N extends CallName>(
  root: string,
  call: N,
  params: Calls[N]['params'],
  options: CallOptions = {},
): Promise<Calls[N]['result']> {
  for await (const response of exchange(root, { call, params }, options)) {
    if ('result' in response) {
      return response.result as Calls[N]['result'];
    }
  }
  throw new DaemonDownError(root);
}

/** Asks for a stream; leaving the loop early cancels it. */
export async function* streamFromDaemon<N extends StreamName>(
  root: string,
  call: N,
  params: Streams[N]['params'],
  options: CallOptions = {},
): AsyncGenerator<Streams[N]['item'], void> {
  for await (const response of exchange(root, { call, params }, options)) {
    if ('item' in response) {
      yield response.item as Streams[N]['item'];
    }
    if ('end' in response) {
      return;
    }
  }
  throw new DaemonDownError(root);
}

async function* exchange(
  root: string,
  request: Request,
  options: CallOptions,
): AsyncGenerator<Response, void> {
  const socket = connect(sandboxPaths(root).daemonSocket);
  socket.setEncoding('utf8');
  const abort = () => socket.destroy(new Error('interrupted'));
  options.signal?.addEventListener('abort', abort, { once: true });
  const lines: string[] = [];
  const read = createLineReader((line) => lines.push(line));
  try {
    socket.write(encodeLine(request));
    for await (const chunk of socket) {
      read(String(chunk));
      for (const line of lines.splice(0)) {
        yield parseResponse(line);
      }
    }
  } catch (error) {
    if (isConnectionFailure(error)) {
      throw new DaemonDownError(root, error);
    }
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}

function parseResponse(line: string): Response {
  const response = JSON.parse(line) as Response;
  if ('error' in response) {
    throw new DaemonError(response.error);
  }
  return response;
}

function isConnectionFailure(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].some((code) =>
    hasErrorCode(error, code),
  );
}
