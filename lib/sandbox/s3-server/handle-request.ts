/** One request from its first line to the last byte of the answer. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '#system';
import { ConnectionReset, type Fault, type Faults, withBodyFault } from './faults.ts';
import type { Exchange, Reply } from './operations/exchange.ts';
import { findRoute } from './operations/routes.ts';
import type { FinishedRequest } from './options.ts';
import { openPayload } from './protocol/payload.ts';
import { errorDocument, S3Error } from './protocol/s3-error.ts';
import { bucketOfHost, parseTarget } from './protocol/uri.ts';
import { authenticate, type Credentials } from './sigv4/authenticate.ts';
import type { Store } from './storage/store.ts';
import { writeReply } from './write-reply.ts';

export interface RequestContext {
  readonly store: Store;
  /** Those of this moment: they may be replaced while the server runs. */
  readonly keys: { readonly current: Credentials; readonly expired: ReadonlySet<string> };
  /** Below it buckets have host names of their own; none without it. */
  readonly domain: string | undefined;
  readonly clock: Clock;
  readonly region: string | undefined;
  readonly faults: Faults;
  readonly onRequest: (request: FinishedRequest) => void;
  readonly onWarning: (message: string) => void;
}

export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Whether the client waits for "100 Continue" before it sends its body. */
  readonly expectsContinue: boolean;
}

/** Never rejects: what goes wrong is answered, or ends the connection. */
export async function handleRequest(http: HttpExchange, context: RequestContext): Promise<void> {
  const startedAt = performance.now();
  const requestId = randomBytes(8).toString('hex').toUpperCase();
  const trace = { operation: http.request.method ?? '', bucket: '', key: '' };
  let errorCode: string | undefined;
  try {
    const { reply, fault } = await answer(http, context, trace);
    await send(http, reply, { requestId, fault });
  } catch (error) {
    const refusal = asRefusal(error, context);
    errorCode = refusal?.code;
    await refuse(http, refusal, requestId);
  } finally {
    // Unread rest of a body would block the connection for the next request.
    http.request.resume();
    context.onRequest({
      ...trace,
      method: http.request.method ?? '',
      status: http.response.headersSent ? http.response.statusCode : 0,
      errorCode,
      durationMs: performance.now() - startedAt,
      requestId,
    });
  }
}

async function answer(
  http: HttpExchange,
  context: RequestContext,
  trace: { operation: string; bucket: string; key: string },
): Promise<{ reply: Reply; fault: Fault | undefined }> {
  const { request } = http;
  const method = request.method ?? '';
  const target = parseTarget(
    request.url ?? '/',
    bucketOfHost(request.headers.host, context.domain),
  );
  const query = new Map(target.query);
  Object.assign(trace, { bucket: target.bucket ?? '', key: target.key ?? '' });
  const route = findRoute(method, target, request.headers);
  trace.operation = route.operation;
  const fault = context.faults({ ...trace, method, query });
  await applyEarlyFault(fault, http, context.clock);
  const now = context.clock.now();
  const { headers } = request;
  const authentication = authenticate(
    { method, path: target.path, query: target.query, headers },
    {
      credentials: context.keys.current,
      expired: context.keys.expired,
      now,
      region: context.region,
    },
  );
  const exchange: Exchange = {
    bucket: trace.bucket,
    key: trace.key,
    query,
    headers,
    store: context.store,
    isHidden: fault?.kind === 'hide' ? fault.isHidden : () => false,
    now,
    region: context.region ?? 'us-east-1',
    openPayload: () => {
      const payload = openPayload(request, authentication);
      if (http.expectsContinue) {
        http.response.writeContinue();
      }
      return payload;
    },
  };
  const reply = await route.run(exchange);
  return { reply: withReplyFault(reply, fault), fault };
}

function withReplyFault(reply: Reply, fault: Fault | undefined): Reply {
  if (fault?.kind === 'lose-answer') {
    reply.body?.[Symbol.dispose]();
    throw new ConnectionReset();
  }
  return fault?.kind === 'etag'
    ? { ...reply, headers: { ...reply.headers, etag: fault.value } }
    : reply;
}

async function applyEarlyFault(
  fault: Fault | undefined,
  { response }: HttpExchange,
  clock: Clock,
): Promise<void> {
  if (fault?.kind === 'reset') {
    throw new ConnectionReset();
  }
  if (fault?.kind === 'status') {
    throw new InjectedStatus(fault.status, fault.code);
  }
  if (fault?.kind === 'delay') {
    await clock.sleep(fault.ms);
  }
  if (fault?.kind === 'hold') {
    await Promise.race([fault.until, once(response, 'close')]);
    if (response.closed) {
      throw new ConnectionReset();
    }
  }
}

interface Refusal {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly fields?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

class InjectedStatus extends Error implements Refusal {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code = status === 503 ? 'SlowDown' : 'InternalError') {
    super('This answer was asked for by a test.');
    this.status = status;
    this.code = code;
  }
}

// Undefined for a connection that is to end, or has ended, without an answer.
function asRefusal(error: unknown, context: RequestContext): Refusal | undefined {
  if (error instanceof S3Error || error instanceof InjectedStatus) {
    return error;
  }
  const isCutOff = error instanceof ConnectionReset || isAborted(error);
  if (isCutOff) {
    return undefined;
  }
  const message = Error.isError(error) ? (error.stack ?? error.message) : String(error);
  context.onWarning(`request failed: ${message}`);
  return new S3Error('InternalError', 'We encountered an internal error. Please try again.');
}

function isAborted(error: unknown): boolean {
  const code = Error.isError(error) && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

async function send(
  http: HttpExchange,
  reply: Reply,
  options: { requestId: string; fault: Fault | undefined },
): Promise<void> {
  const { body: source, ...rest } = reply;
  using body = source;
  const headers = { ...rest.headers, ...identification(options.requestId) };
  await writeReply(http, {
    ...rest,
    headers,
    ...(body === undefined
      ? {}
      : { chunks: withBodyFault(body.chunks, options.fault), length: body.length }),
  });
}

async function refuse(
  http: HttpExchange,
  refusal: Refusal | undefined,
  requestId: string,
): Promise<void> {
  if (refusal === undefined || http.response.headersSent) {
    http.request.socket.destroy();
    return;
  }
  try {
    await writeReply(http, {
      status: refusal.status,
      headers: { ...refusal.headers, ...identification(requestId) },
      xml: errorDocument(refusal, { resource: http.request.url ?? '/', requestId }),
    });
  } catch {
    http.request.socket.destroy();
  }
}

function identification(requestId: string): Record<string, string> {
  return { 'x-amz-request-id': requestId, 'x-amz-id-2': 'juju-s3', server: 'juju-s3' };
}
