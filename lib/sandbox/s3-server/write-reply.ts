/** Writes status, headers and body of an answer at the pace of the client. */
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

// The next chunk is asked for when this one was handed to the kernel, as its buffer is used again.
async function writeBody(response: ServerResponse, chunks: AsyncIterable<Buffer>): Promise<void> {
  const closed = Promise.withResolvers<never>();
  const onClose = (): void => closed.reject(new ConnectionReset());
  // Without a write under way nobody waits for this, which is no failure.
  closed.promise.catch(() => undefined);
  response.once('close', onClose);
  try {
    for await (const chunk of chunks) {
      const written = Promise.withResolvers<void>();
      response.write(chunk, (error) => (error ? written.reject(error) : written.resolve()));
      await Promise.race([written.promise, closed.promise]);
    }
  } finally {
    response.off('close', onClose);
  }
}
