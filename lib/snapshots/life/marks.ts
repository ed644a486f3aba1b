/**
 * Small objects beside a manifest that say something about the snapshot without being part of it. Their names and times
 * are seen in any listing; their content explains them. FORMAT.md#marks
 */
import type { ObjectInfo, ObjectStore } from '#object-store';
import type { JsonValue } from '#system';

const MARK_FORMAT = 'juju-database-backup/mark';

/** Read back and found sound. */
export const VERIFIED_MARK = 'verified.json';
/** Read back and found damaged. */
export const DAMAGED_MARK = 'damaged.json';
/** Never to be deleted by retention. */
export const KEEP_MARK = 'keep.json';
/** The manifest of a deleted snapshot, under another name. */
export const DELETED_MANIFEST = 'deleted.json';
const PIN = /^pin-[\w-]+\.json$/;

/** A pin not renewed for so long is that of a dead process. */
export const PIN_LIFETIME_MS = 6 * 60 * 60_000;

/** What is known of a snapshot besides its content. Times are ISO 8601, by the clock of the store. */
export interface SnapshotMarks {
  /** When it was last found sound; undefined when never. */
  readonly verifiedAt?: string;
  /** When it was found damaged, unless a later verification found it sound. */
  readonly damagedAt?: string;
  /** Whether somebody wants it kept, whatever retention says. */
  readonly isKept: boolean;
  /** Whether somebody reads it at the moment. */
  readonly isPinned: boolean;
}

/** Key of a pin below an artefact path. */
export function pinName(id: string): string {
  return `pin-${id}.json`;
}

/** Reads marks off the objects that lie directly below an artefact path. */
export function marksFrom(
  objects: ReadonlyMap<string, Pick<ObjectInfo, 'modifiedAt'>>,
  now: Date,
): SnapshotMarks {
  const verified = objects.get(VERIFIED_MARK)?.modifiedAt;
  const damaged = objects.get(DAMAGED_MARK)?.modifiedAt;
  const isDamaged = damaged !== undefined && !(verified !== undefined && verified > damaged);
  const isPinned = [...objects].some(
    ([name, { modifiedAt }]) =>
      PIN.test(name) && now.getTime() - modifiedAt.getTime() < PIN_LIFETIME_MS,
  );
  return {
    ...(verified === undefined || isDamaged ? {} : { verifiedAt: verified.toISOString() }),
    ...(isDamaged ? { damagedAt: damaged.toISOString() } : {}),
    isKept: objects.has(KEEP_MARK),
    isPinned,
  };
}

/** Writes a mark, in place of the one before. `facts` are for people and hold no secret. */
export async function writeMark(
  store: ObjectStore,
  key: string,
  facts: Readonly<Record<string, JsonValue>>,
  signal?: AbortSignal,
): Promise<void> {
  const text = JSON.stringify({ format: MARK_FORMAT, version: 1, ...facts }, undefined, 2);
  await store.put(key, Buffer.from(`${text}\n`), { signal });
}

/** The objects directly below an artefact path, by their names. */
export async function objectsOf(
  store: ObjectStore,
  artefactPath: string,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ObjectInfo>> {
  const objects = new Map<string, ObjectInfo>();
  for await (const object of store.list(artefactPath, { signal })) {
    const name = object.key.slice(artefactPath.length);
    if (!name.includes('/')) {
      objects.set(name, object);
    }
  }
  return objects;
}
