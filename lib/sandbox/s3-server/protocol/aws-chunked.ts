/**
 * Decodes the aws-chunked content encoding: chunks with a size line, signed or not, and trailing
 * headers. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
import { createHash } from 'node:crypto';
import { S3Error } from './s3-error.ts';

/** What checks the signatures of a stream; absent for an unsigned one. */
interface ChunkVerifier {
  /** The signature expected of a chunk with this SHA-256. */
  signChunk(previous: string, chunkHash: string): string;
  signTrailer(previous: string, trailer: string): string;
}

export interface AwsChunkedOptions {
  readonly verifier: ChunkVerifier | undefined;
  /** The signature of the request's headers. */
  readonly seed: string;
  readonly hasTrailer: boolean;
  /** Called once with the trailing headers, names in lower case, without their signature. */
  onTrailer(headers: ReadonlyMap<string, string>): void;
}

const MAX_LINE_BYTES = 8192;

/**
 * The bytes inside the chunks. They come before the signature of their chunk was checked: believe
 * them only when the generator has ended without an error.
 */
export async function* decodeAwsChunked(
  source: AsyncIterable<Buffer>,
  options: AwsChunkedOptions,
): AsyncGenerator<Buffer> {
  const reader = new ByteReader(source);
  let signature = options.seed;
  for (;;) {
    const header = parseChunkHeader(await reader.line());
    const hash = options.verifier === undefined ? undefined : createHash('sha256');
    for await (const piece of reader.bytes(header.size)) {
      hash?.update(piece);
      yield piece;
    }
    if (hash !== undefined && options.verifier !== undefined) {
      const expected = options.verifier.signChunk(signature, hash.digest('hex'));
      signature = checkSignature(header.signature, expected);
    }
    if (header.size === 0) {
      break;
    }
    await reader.emptyLine();
  }
  await readTrailer(reader, signature, options);
}

async function readTrailer(
  reader: ByteReader,
  signature: string,
  options: AwsChunkedOptions,
): Promise<void> {
  const headers = new Map<string, string>();
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':');
    if (colon < 1 || !options.hasTrailer) {
      throw malformedTrailer();
    }
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  await reader.end();
  const claimed = headers.get('x-amz-trailer-signature');
  headers.delete('x-amz-trailer-signature');
  if (options.verifier !== undefined && options.hasTrailer) {
    const text = [...headers].map(([name, value]) => `${name}:${value}\n`).join('');
    checkSignature(claimed, options.verifier.signTrailer(signature, text));
  }
  options.onTrailer(headers);
}

function parseChunkHeader(line: string): { size: number; signature: string | undefined } {
  const match = /^([\da-f]{1,12})(?:;chunk-signature=([\da-f]{64}))?$/i.exec(line);
  if (match?.[1] === undefined) {
    throw incomplete();
  }
  return { size: Number.parseInt(match[1], 16), signature: match[2] };
}

function checkSignature(claimed: string | undefined, expected: string): string {
  if (claimed !== expected) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The signature of a chunk of the body does not match the one we calculated.',
    );
  }
  return expected;
}

function malformedTrailer(): S3Error {
  return new S3Error(
    'MalformedTrailerError',
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  );
}

function incomplete(): S3Error {
  return new S3Error('IncompleteBody', 'The request body terminated unexpectedly');
}

/** Cuts a stream of buffers into lines and runs of bytes without copying the latter. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    let end = this.#rest.indexOf('\r\n');
    while (end === -1) {
      if (this.#rest.length > MAX_LINE_BYTES) {
        throw incomplete();
      }
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
      end = this.#rest.indexOf('\r\n');
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 2);
    return line;
  }

  async emptyLine(): Promise<void> {
    if ((await this.line()) !== '') {
      throw incomplete();
    }
  }

  async *bytes(size: number): AsyncGenerator<Buffer> {
    let missing = size;
    while (missing > 0) {
      const available = this.#rest.length === 0 ? await this.#next() : this.#rest;
      const piece = available.subarray(0, missing);
      this.#rest = available.subarray(piece.length);
      missing -= piece.length;
      yield piece;
    }
  }

  async end(): Promise<void> {
    const { done } = await this.#source.next();
    if (this.#rest.length > 0 || done !== true) {
      throw incomplete();
    }
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#source.next();
    if (done === true) {
      throw incomplete();
    }
    return value;
  }
}
