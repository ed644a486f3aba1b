/** What a snapshot holds, as a person looks into it: one directory at a time. Pure. */
import type { EntryInfo, EntryKind } from './types.ts';

/** One thing directly in the directory looked into. */
export interface ItemSummary {
  /** From the top of the snapshot. */
  readonly path: string;
  readonly kind: EntryKind;
  /** Of a directory: of everything in it. */
  readonly bytes: number;
  /** Files and streams, itself or in it. */
  readonly files: number;
  /** ISO 8601; of a directory its own. */
  readonly modifiedAt?: string;
  readonly mode?: number;
  readonly owner?: string;
}

/** Whether the path is `item` or lies in it; everything where `item` is empty. */
export function isAtOrBelow(path: string, item: string): boolean {
  return item === '' || path === item || path.startsWith(`${item}/`);
}

/**
 * What lies directly in a directory of the snapshot, in its order; a file that is named itself alone. Nothing where there
 * is no such thing.
 * @param directory empty for the top; no slashes around it
 */
export async function summariseItems(
  entries: AsyncIterable<EntryInfo>,
  directory: string,
): Promise<readonly ItemSummary[]> {
  const items = new Map<string, ItemSummary>();
  for await (const entry of entries) {
    const path = placeOf(entry, directory);
    if (path === undefined) {
      continue;
    }
    const known = items.get(path);
    const isFile = entry.kind === 'file' || entry.kind === 'stream';
    items.set(path, {
      ...known,
      path,
      ...(entry.path === path ? facts(entry) : { kind: 'directory' }),
      bytes: (known?.bytes ?? 0) + entry.size,
      files: (known?.files ?? 0) + (isFile ? 1 : 0),
    });
  }
  return [...items.values()];
}

/** The thing in the directory that the path is or lies in. */
function placeOf({ path, kind }: EntryInfo, directory: string): string | undefined {
  if (path === '.' || !isAtOrBelow(path, directory)) {
    return undefined;
  }
  if (path === directory) {
    return kind === 'directory' ? undefined : path;
  }
  const start = directory === '' ? 0 : directory.length + 1;
  const slash = path.indexOf('/', start);
  return slash === -1 ? path : path.slice(0, slash);
}

function facts({ kind, mode, owner, mtimeMs }: EntryInfo) {
  return {
    kind,
    ...(mode === undefined ? {} : { mode }),
    ...(owner === undefined ? {} : { owner }),
    ...(mtimeMs === undefined ? {} : { modifiedAt: new Date(mtimeMs).toISOString() }),
  };
}
