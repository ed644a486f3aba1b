/**
 * Removes what no snapshot of an application needs any more: packs, and the remains of deleted and of interrupted
 * backups. Safe beside running backups and restores, because nothing younger than the grace is touched.
 */
import { isObjectStoreError, type ObjectInfo, type ObjectStore } from '#object-store';
import { type Clock, systemClock } from '#system';
import type { KeyRing } from '../crypto/key-ring.ts';
import { isSnapshotError, SnapshotError } from '../errors.ts';
import { MANIFEST_OBJECT, STARTED_OBJECT } from '../format.ts';
import { parseJsonObject } from '../json.ts';
import { decodeManifest } from '../manifest.ts';
import { codingFor } from '../open-snapshot.ts';
import type { SnapshotManifest } from '../types.ts';
import { DELETED_MANIFEST } from './marks.ts';
import { usedPacks } from './used-packs.ts';

export interface SweepOptions {
  /**
   * What is younger is left alone; it must be longer than any backup takes. 72 h unless told. Times are those of the store,
   * compared with the clock here.
   */
  readonly graceMs?: number;
  /** Only tells what would go. */
  readonly dryRun?: boolean;
  /** Needed where snapshots are encrypted. */
  readonly keys?: KeyRing | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

export interface SweepReport {
  /** Complete snapshots and those deleted within the grace: what they need stays. */
  readonly snapshots: number;
  readonly packs: number;
  readonly packBytes: number;
  /** Packs nobody needs that went, or would go in a dry run. */
  readonly removedPacks: number;
  readonly removedBytes: number;
  /** Packs nobody needs that are too young to go. */
  readonly youngPacks: number;
  /** Artefact paths of deleted and interrupted backups whose remains went. */
  readonly removedArtefacts: readonly string[];
  /** Objects the store did not let go: locked, or no permission. */
  readonly retainedObjects: number;
  /** Why not, in the words of the store. */
  readonly retainedReason?: string;
}

const GRACE_MS = 72 * 60 * 60_000;
const CHUNKS = 'chunks/';
const KEYS = 'keys/';
const DELETE_AT_ONCE = 500;

/**
 * @param applicationPrefix From `applicationPrefixFor`: what holds `backups/` and `chunks/`.
 * @throws SnapshotError when the needs of a snapshot cannot be read (`damaged`, `newer-format`): then nothing is removed
 */
export async function sweep(
  store: ObjectStore,
  applicationPrefix: string,
  options: SweepOptions = {},
): Promise<SweepReport> {
  const sweeper = new Sweeper(store, applicationPrefix, options);
  return await sweeper.run();
}

type Artefact = ReadonlyMap<string, ObjectInfo>;
type Artefacts = ReadonlyMap<string, Artefact>;

class Sweeper {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #signal: AbortSignal | undefined;
  readonly #isDryRun: boolean;
  readonly #keys: KeyRing | undefined;
  readonly #horizon: number;
  readonly #needed = new Set<string>();
  readonly #marked = new Set<string>();
  #retained: { objects: number; reason: string } | undefined;

  constructor(store: ObjectStore, prefix: string, options: SweepOptions) {
    const { graceMs = GRACE_MS, clock = systemClock } = options;
    this.#store = store;
    this.#prefix = prefix;
    this.#signal = options.signal;
    this.#isDryRun = options.dryRun === true;
    this.#keys = options.keys;
    this.#horizon = clock.now().getTime() - graceMs;
  }

  async run(): Promise<SweepReport> {
    const artefacts = await this.#listArtefacts();
    const expired = await this.#findExpired(artefacts);
    await this.#mark(artefacts, expired);
    await this.#removeNames(expired);
    // Whatever was completed or brought back meanwhile needs its packs too.
    const now = this.#isDryRun ? artefacts : await this.#listArtefacts();
    const gone = new Map(
      [...expired].filter(([path]) => now.get(path)?.has(MANIFEST_OBJECT) !== true),
    );
    await this.#mark(now, gone);
    const packs = await this.#sweepPacks();
    await this.#remove([...gone].flatMap(([, objects]) => keysOf(objects)));
    return {
      snapshots: this.#marked.size,
      ...packs,
      removedArtefacts: [...gone.keys()],
      retainedObjects: this.#retained?.objects ?? 0,
      ...(this.#retained === undefined ? {} : { retainedReason: this.#retained.reason }),
    };
  }

  /** Everything below the application but its packs, wherever somebody may have moved it. */
  async #listArtefacts(): Promise<Artefacts> {
    const artefacts = new Map<string, Map<string, ObjectInfo>>();
    const options = { signal: this.#signal };
    for await (const folder of this.#store.listFolder(this.#prefix, options)) {
      const name = folder.kind === 'folder' ? folder.prefix.slice(this.#prefix.length) : '';
      if (folder.kind === 'object' || name === CHUNKS || name === KEYS) {
        continue;
      }
      for await (const object of this.#store.list(folder.prefix, options)) {
        const path = object.key.slice(0, object.key.lastIndexOf('/') + 1);
        const objects = artefacts.get(path) ?? new Map<string, ObjectInfo>();
        artefacts.set(path, objects.set(object.key.slice(path.length), object));
      }
    }
    return artefacts;
  }

  /** Deleted and interrupted backups whose grace is over. What has neither name is not ours to remove. */
  async #findExpired(artefacts: Artefacts): Promise<Artefacts> {
    const old = [...artefacts].filter(([, objects]) => {
      const began = objects.has(STARTED_OBJECT) || objects.has(DELETED_MANIFEST);
      return began && !objects.has(MANIFEST_OBJECT) && this.#isOld(objects);
    });
    const parents = await this.#parentsOfRunning(artefacts);
    return new Map(old.filter(([path]) => !parents.has(path)));
  }

  /** A deletion counts from when it was made, an interrupted backup from its last sign of life. */
  #isOld(objects: Artefact): boolean {
    const deletedAt = objects.get(DELETED_MANIFEST)?.modifiedAt;
    const times = [...objects.values()].map(({ modifiedAt }) => modifiedAt.getTime());
    return Math.max(deletedAt?.getTime() ?? 0, ...times) < this.#horizon;
  }

  /** Running backups may rely on packs of the snapshot they began from, even when that was deleted since. */
  async #parentsOfRunning(artefacts: Artefacts): Promise<ReadonlySet<string>> {
    const parents = new Set<string>();
    for (const [path, objects] of artefacts) {
      const isRunning = !objects.has(MANIFEST_OBJECT) && !objects.has(DELETED_MANIFEST);
      if (isRunning && objects.has(STARTED_OBJECT) && !this.#isOld(objects)) {
        const parent = await this.#readParent(`${path}${STARTED_OBJECT}`);
        if (parent !== undefined) {
          parents.add(parent);
        }
      }
    }
    return parents;
  }

  async #readParent(key: string): Promise<string | undefined> {
    const data = await this.#read(key);
    const marker =
      data === undefined ? undefined : parseJsonObject(Buffer.from(data).toString('utf8'));
    const parent = marker?.['parent'];
    return typeof parent === 'string' ? parent : undefined;
  }

  async #mark(artefacts: Artefacts, expired: Artefacts): Promise<void> {
    for (const [artefactPath, objects] of artefacts) {
      const name = [MANIFEST_OBJECT, DELETED_MANIFEST].find((it) => objects.has(it));
      if (name !== undefined && !expired.has(artefactPath) && !this.#marked.has(artefactPath)) {
        await this.#markOne(artefactPath, name);
      }
    }
  }

  async #markOne(artefactPath: string, name: string): Promise<void> {
    const manifest = await this.#manifestOf(artefactPath, name);
    if (manifest === undefined) {
      return;
    }
    try {
      const coding = codingFor(artefactPath, manifest, this.#keys);
      const source = { store: this.#store, artefactPath, manifest, coding, signal: this.#signal };
      const { chunkPrefix, packs } = await usedPacks(source);
      for (const { id } of chunkPrefix === `${this.#prefix}${CHUNKS}` ? packs : []) {
        this.#needed.add(id);
      }
      this.#marked.add(artefactPath);
    } catch (error) {
      throw isSnapshotError(error) ? blocked(artefactPath, error) : error;
    }
  }

  async #manifestOf(artefactPath: string, name: string): Promise<SnapshotManifest | undefined> {
    const key = `${artefactPath}${name}`;
    const data = await this.#read(key);
    if (data === undefined) {
      return undefined;
    }
    try {
      return decodeManifest(data, artefactPath, key);
    } catch (error) {
      if (isSnapshotError(error, 'not-a-backup')) {
        return undefined;
      }
      throw isSnapshotError(error) ? blocked(artefactPath, error) : error;
    }
  }

  async #read(key: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#store.get(key, { signal: this.#signal });
    } catch (error) {
      if (isObjectStoreError(error, 'not-found')) {
        return undefined;
      }
      throw error;
    }
  }

  /** After this nobody can bring the deleted ones back. */
  async #removeNames(expired: Artefacts): Promise<void> {
    await this.#remove(
      [...expired.values()].flatMap((objects) => objects.get(DELETED_MANIFEST)?.key ?? []),
    );
  }

  async #sweepPacks(): Promise<
    Pick<SweepReport, 'packs' | 'packBytes' | 'removedPacks' | 'removedBytes' | 'youngPacks'>
  > {
    const report = { packs: 0, packBytes: 0, removedPacks: 0, removedBytes: 0, youngPacks: 0 };
    let doomed: string[] = [];
    const chunks = `${this.#prefix}${CHUNKS}`;
    for await (const { key, size, modifiedAt } of this.#store.list(chunks, {
      signal: this.#signal,
    })) {
      report.packs += 1;
      report.packBytes += size;
      if (this.#needed.has(key.slice(key.lastIndexOf('/') + 1))) {
        continue;
      }
      if (modifiedAt.getTime() >= this.#horizon) {
        report.youngPacks += 1;
        continue;
      }
      report.removedPacks += 1;
      report.removedBytes += size;
      doomed.push(key);
      if (doomed.length === DELETE_AT_ONCE) {
        await this.#remove(doomed);
        doomed = [];
      }
    }
    await this.#remove(doomed);
    return report;
  }

  async #remove(keys: readonly string[]): Promise<void> {
    if (this.#isDryRun || keys.length === 0) {
      return;
    }
    try {
      await this.#store.delete(keys, { signal: this.#signal });
    } catch (error) {
      // Locked objects, or a key that may only write: they cost space, and nothing else.
      if (!isObjectStoreError(error, 'access-denied') && !isObjectStoreError(error, 'retained')) {
        throw error;
      }
      const objects = (this.#retained?.objects ?? 0) + keys.length;
      this.#retained = { objects, reason: error.message };
    }
  }
}

function keysOf(objects: Artefact): string[] {
  return [...objects.values()]
    .filter(({ key }) => !key.endsWith(`/${DELETED_MANIFEST}`))
    .map(({ key }) => key);
}

function blocked(artefactPath: string, cause: SnapshotError): SnapshotError {
  return new SnapshotError(
    `cannot remove what is not needed: what backup ${JSON.stringify(artefactPath)} needs cannot be read: ${cause.message}`,
    {
      code: cause.code,
      hint: `${cause.code === 'damaged' ? 'delete or repair that backup first' : cause.hint}; nothing was removed`,
      artefactPath,
      ...(cause.object === undefined ? {} : { object: cause.object }),
    },
  );
}
