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
import { attemptOf, lastSignOf, planFailed } from './failed-attempts.ts';
import { SWEEP_GRACE_MS } from './grace.ts';
import { DELETED_MANIFEST } from './marks.ts';
import type { RetentionDecision, RetentionRules } from './retention.ts';
import { usedPacks } from './used-packs.ts';

export interface SweepOptions {
  /**
   * What is younger is left alone; it must be longer than any backup takes. 72 h unless told. Times are those of the store,
   * compared with the clock here.
   */
  readonly graceMs?: number;
  /** What failed stays longer than the grace where these say so, and with it what was stored for it. */
  readonly failed?: Pick<RetentionRules, 'failed' | 'failedDays'> | undefined;
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
  /** Packs nobody needs that are too young to go, or belong to an attempt that stays. */
  readonly youngPacks: number;
  /** Artefact paths of deleted and interrupted backups whose remains went. */
  readonly removedArtefacts: readonly string[];
  /** Of each backup that was never completed: whether its remains stay, and why. Newest first. */
  readonly attempts: readonly RetentionDecision[];
  /** Objects the store did not let go: locked, or no permission. */
  readonly retainedObjects: number;
  /** Why not, in the words of the store. */
  readonly retainedReason?: string;
}

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

/** When something was stored: from, to; milliseconds since 1970. */
type Span = readonly [number, number];

class Sweeper {
  readonly #store: ObjectStore;
  readonly #prefix: string;
  readonly #signal: AbortSignal | undefined;
  readonly #isDryRun: boolean;
  readonly #keys: KeyRing | undefined;
  readonly #now: Date;
  readonly #graceMs: number;
  readonly #failed: NonNullable<SweepOptions['failed']>;
  /** When the attempts that stay were at work. */
  #spared: readonly Span[] = [];
  readonly #needed = new Set<string>();
  readonly #marked = new Set<string>();
  #retained: { objects: number; reason: string } | undefined;

  constructor(store: ObjectStore, prefix: string, options: SweepOptions) {
    const { graceMs = SWEEP_GRACE_MS, clock = systemClock } = options;
    this.#store = store;
    this.#prefix = prefix;
    this.#signal = options.signal;
    this.#isDryRun = options.dryRun === true;
    this.#keys = options.keys;
    this.#now = clock.now();
    this.#graceMs = graceMs;
    this.#failed = options.failed ?? {};
  }

  async run(): Promise<SweepReport> {
    const artefacts = await this.#listArtefacts();
    const attempts = this.#judgeFailed(artefacts);
    const expired = await this.#findExpired(artefacts, attempts);
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
      attempts,
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

  #judgeFailed(artefacts: Artefacts): readonly RetentionDecision[] {
    const attempts = [...artefacts].flatMap(([path, objects]) => attemptOf(path, objects) ?? []);
    const options = { rules: this.#failed, now: this.#now, graceMs: this.#graceMs };
    const decisions = planFailed(attempts, options);
    const kept = new Set(decisions.filter(({ keep }) => keep).map((one) => one.artefactPath));
    this.#spared = attempts
      .filter(({ artefactPath }) => kept.has(artefactPath))
      .map(({ startedAt }) => [Date.parse(startedAt), Date.parse(startedAt) + this.#graceMs]);
    return decisions;
  }

  /** Deleted backups whose grace is over, and failed ones no rule keeps. What has neither name is not ours to remove. */
  async #findExpired(
    artefacts: Artefacts,
    attempts: readonly RetentionDecision[],
  ): Promise<Artefacts> {
    const given = new Set(attempts.filter(({ keep }) => !keep).map((one) => one.artefactPath));
    const old = [...artefacts].filter(
      ([path, objects]) =>
        given.has(path) ||
        (objects.has(DELETED_MANIFEST) && !objects.has(MANIFEST_OBJECT) && this.#isOld(objects)),
    );
    const parents = await this.#parentsOfRunning(artefacts);
    return new Map(old.filter(([path]) => !parents.has(path)));
  }

  /** Whether nothing of it was written within the grace: no deletion, no sign of life. */
  #isOld(objects: Artefact): boolean {
    return lastSignOf(objects).getTime() < this.#now.getTime() - this.#graceMs;
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
      if (this.#isSpared(modifiedAt.getTime())) {
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

  /** Too young, or stored while an attempt that stays was at work: nobody knows whose it is. */
  #isSpared(time: number): boolean {
    const isYoung = time >= this.#now.getTime() - this.#graceMs;
    return isYoung || this.#spared.some(([from, to]) => time >= from && time <= to);
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
