/** A portable file, or any tar, as entries that a snapshot can be written from. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { type Extract, extract, type Header } from 'tar-stream';
import type { JsonValue } from '#system';
import { SnapshotError } from '../errors.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../json.ts';
import type { SnapshotEntry } from '../types.ts';
import { CHECKSUMS_PATH, damaged, proveChecksums } from './checksums.ts';
import { DESCRIPTION_FORMAT, DESCRIPTION_PATH } from './export-tar.ts';

export interface PortableContent {
  /** Facts about the origin as the file tells them; empty for a tar of somebody else. */
  readonly attributes: Readonly<Record<string, JsonValue>>;
  /** The artefact path it had, and when that backup was made (ISO 8601), where the file tells. */
  readonly origin: { readonly artefactPath?: string; readonly createdAt?: string };
  /** Whether the file holds checksums: then the last entry has been read only when all agree. */
  readonly hasChecksums: boolean;
  /** In the order of the file; read one to its end before the next. @throws SnapshotError `damaged` */
  readonly entries: AsyncIterable<SnapshotEntry>;
}

type Entry = Extract extends AsyncIterable<infer Source> ? Source : never;

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const MAX_DESCRIPTION = 16 * 1024 * 1024;
/** The first had no checksums. */
const VERSIONS: readonly unknown[] = [1, 2];

/**
 * Reads as much as it takes to know what the file is; compressed with zstd or not.
 * @throws SnapshotError `invalid-entry` when it is no tar, is cut short, or holds what snapshots cannot
 */
export async function importTar(file: AsyncIterable<Uint8Array>): Promise<PortableContent> {
  const archive = extract();
  const iterator = archive[Symbol.asyncIterator]();
  feed(file, archive);
  const first = await next(iterator);
  if (first === undefined) {
    throw unreadable();
  }
  const description = await readDescription(first);
  return {
    attributes: attributesOf(description),
    origin: originOf(description),
    hasChecksums: description?.['checksums'] === CHECKSUMS_PATH,
    entries: entriesFrom(iterator, description === undefined ? first : undefined, description),
  };
}

function feed(file: AsyncIterable<Uint8Array>, archive: Extract): void {
  const pump = async (): Promise<void> => {
    const source = file[Symbol.asyncIterator]();
    const start = await source.next();
    const head = start.done === true ? Buffer.alloc(0) : Buffer.from(start.value);
    const isCompressed = head.subarray(0, 4).equals(ZSTD_MAGIC);
    const bytes = Readable.from(concat(head, source));
    const plain = isCompressed ? bytes.pipe(createZstdDecompress()) : bytes;
    bytes.on('error', (error) => archive.destroy(error));
    plain.on('error', (error) => archive.destroy(error));
    plain.pipe(archive);
  };
  pump().catch((error: unknown) => archive.destroy(error as Error));
}

async function* concat(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  yield head;
  for (let item = await rest.next(); item.done !== true; item = await rest.next()) {
    yield item.value;
  }
}

async function next(iterator: AsyncIterator<Entry>): Promise<Entry | undefined> {
  try {
    const item = await iterator.next();
    return item.done === true ? undefined : item.value;
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause?: unknown): SnapshotError {
  return new SnapshotError('cannot import: the file is no tar archive, or is cut short', {
    code: 'invalid-entry',
    hint: 'transfer the file again, and compare its size and checksum with the original',
    cause,
  });
}

/** The description, where this entry is one of ours. */
async function readDescription(entry: Entry): Promise<JsonObject | undefined> {
  if (entry.header.name !== DESCRIPTION_PATH || entry.header.size > MAX_DESCRIPTION) {
    return undefined;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of entry) {
    pieces.push(piece as Uint8Array);
  }
  const json = parseJsonObject(Buffer.concat(pieces).toString('utf8'));
  if (json?.['format'] !== DESCRIPTION_FORMAT || !VERSIONS.includes(json['version'])) {
    throw new SnapshotError('cannot import: the file was made by a later version', {
      code: 'newer-format',
      hint: 'upgrade and try again, or unpack it with tar',
    });
  }
  return json;
}

function attributesOf(description: JsonObject | undefined): PortableContent['attributes'] {
  const attributes = description?.['attributes'];
  return isJsonObject(attributes) ? (attributes as PortableContent['attributes']) : {};
}

function originOf(description: JsonObject | undefined): PortableContent['origin'] {
  const { 'artefact-path': artefactPath, 'created-at': createdAt } = description ?? {};
  return {
    ...(typeof artefactPath === 'string' ? { artefactPath } : {}),
    ...(typeof createdAt === 'string' ? { createdAt } : {}),
  };
}

async function* entriesFrom(
  iterator: AsyncIterator<Entry>,
  first: Entry | undefined,
  description: JsonObject | undefined,
): AsyncIterable<SnapshotEntry> {
  const isProved = description?.['checksums'] === CHECKSUMS_PATH;
  const checksums = new Map<string, string>();
  let count = 0;
  const streams = new Set(Array.isArray(description?.['streams']) ? description['streams'] : []);
  for (
    let entry = first ?? (await next(iterator));
    entry !== undefined;
    entry = await next(iterator)
  ) {
    if (isProved && entry.header.name === CHECKSUMS_PATH) {
      await proveChecksums(contentOf(entry), checksums);
      assertWhole(count, description);
      await assertEnd(iterator);
      return;
    }
    count += 1;
    yield toEntry(entry, streams, isProved ? checksums : undefined);
    entry.resume();
  }
  if (isProved) {
    throw damaged(CHECKSUMS_PATH, 'is missing: it is cut short');
  }
}

function assertWhole(count: number, description: JsonObject | undefined): void {
  const told = description?.['entries'];
  if (told !== count) {
    throw damaged('.', `should hold ${String(told)} entries, and holds ${count}`);
  }
}

async function assertEnd(iterator: AsyncIterator<Entry>): Promise<void> {
  const extra = await next(iterator);
  if (extra !== undefined) {
    throw damaged(extra.header.name, 'has no checksum');
  }
}

function toEntry(
  entry: Entry,
  streams: ReadonlySet<unknown>,
  checksums: Map<string, string> | undefined,
): SnapshotEntry {
  const { type, name, linkname, size } = entry.header;
  const path = name.replace(/^(?:\.\/)+(?=.)/, '').replace(/(?<=.)\/+$/, '');
  const common = { path, ...metadataOf(entry.header) };
  if (type === 'directory') {
    return { kind: 'directory', ...common };
  }
  if (type === 'symlink') {
    return { kind: 'symlink', ...common, target: linkname };
  }
  if (type === 'file' || type === 'contiguous-file') {
    const kind = streams.has(path) ? 'stream' : 'file';
    return { kind, ...common, size, open: () => hashed(path, contentOf(entry), checksums) };
  }
  throw new SnapshotError(
    `cannot import ${JSON.stringify(path)}: snapshots cannot hold a ${type}`,
    { code: 'invalid-entry', hint: 'leave it out of the archive' },
  );
}

async function* hashed(
  path: string,
  content: AsyncIterable<Uint8Array>,
  checksums: Map<string, string> | undefined,
): AsyncIterable<Uint8Array> {
  const hash = checksums === undefined ? undefined : createHash('sha256');
  for await (const piece of content) {
    hash?.update(piece);
    yield piece;
  }
  if (hash !== undefined) {
    checksums?.set(path, hash.digest('hex'));
  }
}

async function* contentOf(entry: Entry): AsyncIterable<Uint8Array> {
  try {
    yield* entry as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw unreadable(error);
  }
}

function metadataOf({ mode, uid, gid, uname, gname, mtime, pax }: Header) {
  const exact = isJsonObject(pax) ? Number(pax['mtime'] ?? Number.NaN) * 1000 : Number.NaN;
  return {
    mode: mode & 0o7777,
    uid,
    gid,
    ...(uname === '' ? {} : { owner: uname }),
    ...(gname === '' ? {} : { group: gname }),
    mtimeMs: Number.isNaN(exact) ? mtime.getTime() : exact,
  };
}
