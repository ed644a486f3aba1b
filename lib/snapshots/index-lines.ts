/** One line of an index part, checked member by member. */
import { type ChunkRef, isEncoding, isSha256, MAX_CHUNK_SIZE, type PackName } from './format.ts';
import { isJsonObject, isSafeCount, type JsonObject, parseJsonObject } from './json.ts';
import type { EntryKind, EntryMetadata } from './types.ts';

export type IndexLine =
  | { readonly kind: 'entry'; readonly entry: EntryMetadata }
  | { readonly kind: 'pack' }
  | { readonly kind: 'chunk'; readonly chunk: ChunkRef }
  | { readonly kind: 'end'; readonly size: number };

/**
 * @param packs The packs named so far in this part; a pack line adds to it.
 * @param overhead Bytes that sealing adds to each chunk.
 * @returns undefined for a line that breaks the format.
 */
export function parseIndexLine(
  text: string,
  packs: PackName[],
  overhead = 0,
): IndexLine | undefined {
  const line = parseJsonObject(text);
  if (line === undefined) {
    return undefined;
  }
  if ('chunk' in line) {
    return parseChunk(line, packs, overhead);
  }
  if ('entry' in line) {
    return parseEntry(line);
  }
  if ('end' in line) {
    return isSafeCount(line['end']) ? { kind: 'end', size: line['end'] } : undefined;
  }
  return parsePack(line, packs);
}

function parsePack(line: JsonObject, packs: PackName[]): IndexLine | undefined {
  const { pack: id, size } = line;
  if (!isSha256(id) || !isSafeCount(size)) {
    return undefined;
  }
  packs.push({ id, size });
  return { kind: 'pack' };
}

function parseChunk(
  line: JsonObject,
  packs: readonly PackName[],
  overhead: number,
): IndexLine | undefined {
  const { size, base } = line;
  const chunk = isSafeCount(size) ? parseRef(line, size, packs) : undefined;
  if (chunk === undefined || !isConsistent(chunk, overhead)) {
    return undefined;
  }
  if (chunk.as !== 'pages') {
    return { kind: 'chunk', chunk };
  }
  const found = isJsonObject(base) ? parseRef(base, chunk.size, packs) : undefined;
  const stands = found !== undefined && found.as !== 'pages' && isConsistent(found, overhead);
  return stands ? { kind: 'chunk', chunk: { ...chunk, base: found } } : undefined;
}

function parseRef(
  line: JsonObject,
  size: number,
  packs: readonly PackName[],
): ChunkRef | undefined {
  const { chunk: id, at, stored } = line;
  const { as } = line;
  const pack = isSafeCount(line['pack']) ? packs[line['pack']] : undefined;
  const counts = isSafeCount(at) && isSafeCount(stored);
  if (pack === undefined || !counts || !isSha256(id) || !isEncoding(as)) {
    return undefined;
  }
  return { id, size, pack, at, stored, as };
}

function isConsistent({ size, at, stored, as, pack }: ChunkRef, overhead: number): boolean {
  const sizes = size > 0 && size <= MAX_CHUNK_SIZE && stored > overhead && at + stored <= pack.size;
  if (as === 'pages') {
    return sizes;
  }
  // A writer stores raw what would not shrink.
  return sizes && (as === 'zstd' ? stored - overhead < size : stored - overhead === size);
}

const KINDS: ReadonlySet<unknown> = new Set<EntryKind>(['directory', 'file', 'symlink', 'stream']);

function parseEntry(line: JsonObject): IndexLine | undefined {
  const { entry: kind, path, target, fingerprint } = line;
  const numbers = {
    mode: line['mode'],
    uid: line['uid'],
    gid: line['gid'],
    mtimeMs: line['mtime-ms'],
  };
  const texts = { owner: line['owner'], group: line['group'], target, fingerprint };
  const valid =
    KINDS.has(kind) &&
    typeof path === 'string' &&
    Object.values(numbers).every((it) => it === undefined || Number.isFinite(it)) &&
    Object.values(texts).every((it) => it === undefined || typeof it === 'string') &&
    (kind === 'symlink') === (target !== undefined);
  return valid
    ? { kind: 'entry', entry: dropUndefined({ kind, path, ...numbers, ...texts }) }
    : undefined;
}

function dropUndefined(record: Record<string, unknown>): EntryMetadata {
  const kept = Object.entries(record).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as unknown as EntryMetadata;
}
