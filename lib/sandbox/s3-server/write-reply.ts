/** Writes status, headers and body of an answer at the pace of the client. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ConnectionReset } from './faults.ts';

export interface WrittenReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly xml?: string | undefined;
  readonly chunks?: AsyncIterable<Buffer>;
  /** Bytes that `chunks` will yield. */
  readonly length?: number;
}

interface HttpPair {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectsContinue: boolean;
}

/** Ends when the last byte was handed to the connection; rejects when the client has gone. */
export async function writeReply(http: HttpPair, reply: WrittenReply): Promise<void> {
  const { request, response } = http;
  response.writeHead(reply.status, {
    ...(reply.xml === undefined ? {} : { 'content-type': 'application/xml' }),
    ...lengthHeader(reply),
    ...reply.headers,
    // A client that never got its "100 Continue" may or may not send the body: start afresh.
    ...(http.expectsContinue && !request.complete ? { connection: 'close' } : {}),
  });
  if (request.method !== 'HEAD' && reply.chunks !== undefined) {
    await writeBody(response, reply.chunks);
  }
  const isXmlSent = request.method !== 'HEAD' && reply.xml !== undefined;
  response.end(isXmlSent ? reply.xml : undefined);
}

function lengthHeader(reply: WrittenReply): Record<string, string> {
  if (reply.status === 204 || reply.status === 304) {
    return {};
  }
  return { 'content-length': String(reply.length ?? Buffer.byteLength(reply.xml ?? '')) };
}

async function writeBody(response: ServerResponse, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed || response.closed) {
      throw new ConnectionReset();
    }
    if (!response.write(chunk)) {
      await drained(response);
    }
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const closed = new AbortController();
  const onClose = (): void => closed.abort(new ConnectionReset());
  response.once('close', onClose);
  try {
    await once(response, 'drain', { signal: closed.signal });
  } catch (error) {
    throw closed.signal.aborted ? new ConnectionReset() : error;
  } finally {
    response.off('close', onClose);
  }
}
