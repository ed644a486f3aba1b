/** A tiny HTTP proxy, in the test's process: CONNECT tunnels and plain requests, with names only it can resolve. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ConnectProxy {
  /** With the user and password it asks for, if any. */
  readonly url: string;
  /** `CONNECT host:port`, and `METHOD host:port` for plain requests, in order. */
  readonly seen: string[];
  stop(): Promise<void>;
}

/** @param options.target Where every connection ends, whatever host was asked for. */
export async function startConnectProxy(options: {
  readonly target: { readonly host: string; readonly port: number };
  readonly user?: string;
  readonly password?: string;
  /** Answers CONNECT with this status instead of a connection. */
  readonly refuseWith?: number;
}): Promise<ConnectProxy> {
  const { target, user, password } = options;
  const seen: string[] = [];
  const sockets = new Set<Duplex>();
  const needed =
    user === undefined
      ? undefined
      : `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`;
  const isAllowed = (request: IncomingMessage): boolean =>
    needed === undefined || request.headers['proxy-authorization'] === needed;

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '');
    seen.push(`${request.method} ${url.host}`);
    if (!isAllowed(request)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end();
      return;
    }
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const path = `${url.pathname}${url.search}`;
    const onward = httpRequest({ ...target, method: request.method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    seen.push(`CONNECT ${request.url}`);
    const refusal = isAllowed(request) ? options.refuseWith : 407;
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
      return;
    }
    const onward = connect(target, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.pipe(socket);
      socket.pipe(onward);
    });
    sockets.add(onward);
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const login = user === undefined ? '' : `${user}:${password ?? ''}@`;
  return {
    url: `http://${login}127.0.0.1:${port}`,
    seen,
    async stop() {
      for (const socket of sockets) {
        socket.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
