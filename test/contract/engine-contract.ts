/**
 * What every engine must do, whatever its database: run by each engine's tests with a harness of
 * its own. Everything here works on a real database.
 */
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BackupAttributes, Engine, EngineEntry, RestoreRequest } from '#engines';
import { HintError } from '#system';

/** A real database with known content, behind the engine under test. */
export interface EngineHarness extends AsyncDisposable {
  readonly engine: Engine;
  /** Changes, drops and adds data: afterwards the fingerprint differs. */
  damage(): Promise<void>;
  /** Breaks the live data so badly that the database cannot start any more, and stops it. */
  ruin(): Promise<void>;
  /** Breaks staged, already verified files so that the database cannot start from them. */
  breakStaged(stagingDirectory: string): Promise<void>;
  /** Breaks the data of an undo in the making, wherever they are staged. */
  breakStagedUndo(): Promise<void>;
  /** A digest of all rows or contents. */
  fingerprint(): Promise<string>;
  /** Kills the database without warning. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A backup kept in a directory instead of an object store. */
export interface KeptBackup {
  readonly directory: string;
  readonly attributes: BackupAttributes;
  readonly totalBytes: number;
  readonly entries: readonly EngineEntry[];
}

/** Takes a backup into `directory`, as the snapshot code would: entry by entry, each to its end. */
export async function keepBackup(engine: Engine, directory: string): Promise<KeptBackup> {
  await using source = await engine.backup({ signal: never(), scratchDirectory: tmpdir() });
  const entries: EngineEntry[] = [];
  let totalBytes = 0;
  for await (const entry of source.entries) {
    await writeEntry(entry, directory);
    entries.push(entry);
    totalBytes += entry.size ?? 0;
  }
  return { directory, attributes: source.attributes, totalBytes, entries };
}

/** Writes one entry below `directory`. */
async function writeEntry(entry: EngineEntry, directory: string): Promise<void> {
  const path = join(directory, entry.path);
  await mkdir(dirname(path), { recursive: true });
  if (entry.kind === 'directory') {
    await mkdir(path, { recursive: true });
  } else if (entry.kind === 'symlink') {
    await symlink(entry.target ?? '', path);
  } else {
    await writeFile(path, entry.open?.() ?? '');
  }
}

/** A signal that never aborts. */
export function never(): AbortSignal {
  return new AbortController().signal;
}

/** The error `work` throws. */
export async function errorOf(work: () => Promise<unknown>): Promise<HintError> {
  try {
    await work();
  } catch (error) {
    return error as HintError;
  }
  throw new Error('expected an error, and there was none');
}

/** Runs the suite; `copyTree` puts a kept backup into a staging directory. */
export function describeEngine(
  title: string,
  createHarness: () => Promise<EngineHarness>,
  copyTree: (from: string, to: string) => Promise<void>,
): void {
  describe(`engine ${title}`, () => {
    let harness: EngineHarness;
    let scratch: string;
    let kept: KeptBackup;
    let original: string;

    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'engine-contract-'));
      harness = await createHarness();
      original = await harness.fingerprint();
      kept = await keepBackup(harness.engine, join(scratch, 'kept'));
    }, 120_000);

    afterAll(async () => {
      await harness[Symbol.asyncDispose]();
      await rm(scratch, { recursive: true, force: true });
    }, 120_000);

    const request = (): { attributes: BackupAttributes; totalBytes: number } => kept;

    async function restore(replacing: Partial<RestoreRequest> = {}): Promise<string | undefined> {
      const staged = await harness.engine.createRestore({ ...request(), ...replacing });
      await copyTree(kept.directory, staged.stagingDirectory);
      await staged.verify(never());
      const { unavailableMs } = await staged.swap(never());
      expect(unavailableMs).toBeGreaterThan(0);
      return (await staged.commit())?.name;
    }

    async function undo(undoOf: string, name: string, isForced = false): Promise<void> {
      const staged = await harness.engine.createUndo({ undoOf, name, keepHours: 1, isForced });
      try {
        await staged.verify(never());
      } catch (error) {
        await staged.abort();
        throw error;
      }
      await staged.swap(never());
      await staged.commit();
    }

    async function names(): Promise<readonly string[]> {
      return (await harness.engine.keptCopies()).map((copy) => copy.name);
    }

    test('a backup names its engine and consists of distinct, safe, relative paths', () => {
      const paths = kept.entries.map((entry) => entry.path);

      expect(kept.attributes['engine']).toBe(harness.engine.name);
      expect(new Set(paths).size).toBe(paths.length);
      expect(paths.filter((path) => /^\/|(^|\/)\.\.(\/|$)|\/$|^$/.test(path))).toEqual([]);
      expect(kept.entries.filter((entry) => entry.mode === undefined)).toEqual([]);
    });

    test('a file that is not read is an error, not a hole in the backup', async () => {
      await using source = await harness.engine.backup({
        signal: never(),
        scratchDirectory: scratch,
      });

      const error = await errorOf(async () => {
        for await (const entry of source.entries) {
          expect(entry.path).not.toBe('');
        }
      });

      expect(error.code).toBe('entry-not-read');
    }, 60_000);

    test('an aborted backup throws the reason of the abort', async () => {
      const abort = new AbortController();
      const reason = new Error('cancelled by a test');
      await using source = await harness.engine.backup({
        signal: abort.signal,
        scratchDirectory: scratch,
      });

      const error = await errorOf(async () => {
        for await (const entry of source.entries) {
          abort.abort(reason);
          await writeEntry(entry, join(scratch, 'aborted'));
        }
      });

      expect(error).toBe(reason);
    }, 60_000);

    test('a database killed in the middle of a backup ends the iteration with an error', async () => {
      await using source = await harness.engine.backup({
        signal: never(),
        scratchDirectory: scratch,
      });
      let seen = 0;

      const error = await errorOf(async () => {
        for await (const entry of source.entries) {
          seen += 1;
          if (seen === 5) {
            await harness.kill();
          }
          await writeEntry(entry, join(scratch, 'killed'));
        }
      });

      expect(error).toBeInstanceOf(HintError);
      expect(error.hint).toMatch(/\w/);
      expect(seen).toBeLessThan(kept.entries.length);
      await harness.start();
    }, 120_000);

    test('a database that is down cannot be backed up and the error says what to do', async () => {
      await harness.kill();

      const error = await errorOf(async () => {
        await harness.engine.backup({ signal: never(), scratchDirectory: scratch });
      });

      expect(error.code).toBe('database-unavailable');
      expect(error.hint).toMatch(/start/);
      await harness.start();
    }, 120_000);

    test('a backup of another engine, or too big for the disk, is refused beforehand', async () => {
      const { engine } = harness;
      const foreign = { ...kept.attributes, engine: 'no-such-engine' };

      const mismatch = await errorOf(
        async () => await engine.prepareRestore({ attributes: foreign, totalBytes: 1 }),
      );
      const space = await errorOf(
        async () =>
          await engine.prepareRestore({ attributes: kept.attributes, totalBytes: 2 ** 60 }),
      );

      expect(mismatch.code).toBe('engine-mismatch');
      expect(space.code).toBe('insufficient-space');
      await expect(engine.prepareRestore(request())).resolves.toMatchObject({
        droppedCopies: [],
        dropsLiveData: false,
        warnings: [],
      });
    });

    test('an aborted restore leaves the data as they are and nothing beside them', async () => {
      const staged = await harness.engine.createRestore(request());
      await writeFile(join(staged.stagingDirectory, 'half'), 'a file');

      await staged.abort();

      expect(await harness.fingerprint()).toBe(original);
      expect(await besideOf(staged.stagingDirectory)).toEqual([]);
    }, 60_000);

    test('an incomplete staging directory does not pass verification', async () => {
      const staged = await harness.engine.createRestore(request());
      await copyTree(kept.directory, staged.stagingDirectory);
      const victim = kept.entries.findLast((entry) => (entry.size ?? 0) > 8_000);
      await rm(join(staged.stagingDirectory, victim?.path ?? ''));

      const error = await errorOf(async () => await staged.verify(never()));
      await staged.abort();

      expect(error.code).toBe('verification-failed');
      expect(await harness.fingerprint()).toBe(original);
    }, 60_000);

    test('a second restore is refused while one is under way', async () => {
      const first = await harness.engine.createRestore(request());

      const error = await errorOf(async () => await harness.engine.createRestore(request()));
      await first.abort();

      expect(error.code).toBe('restore-in-progress');
    }, 60_000);

    test('staged data that do not start are taken back out and the old data serve again', async () => {
      const staged = await harness.engine.createRestore(request());
      await copyTree(kept.directory, staged.stagingDirectory);
      await staged.verify(never());
      await harness.breakStaged(staged.stagingDirectory);

      const error = await errorOf(async () => await staged.swap(never()));

      expect(error.code).toBe('restore-rolled-back');
      expect(await harness.fingerprint()).toBe(original);
      expect(await besideOf(staged.stagingDirectory)).toEqual([]);
    }, 120_000);

    test('a swap aborted half-way is rolled back', async () => {
      const staged = await harness.engine.createRestore(request());
      await copyTree(kept.directory, staged.stagingDirectory);
      await staged.verify(never());
      const abort = new AbortController();
      const swapping = errorOf(async () => await staged.swap(abort.signal));
      setTimeout(() => abort.abort(new Error('cancelled')), 1_000);

      const error = await swapping;

      expect(error.code).toBe('restore-rolled-back');
      expect(await harness.fingerprint()).toBe(original);
    }, 120_000);

    test('a restore gives back exactly the data of the backup and leaves nothing behind', async () => {
      await harness.damage();
      expect(await harness.fingerprint()).not.toBe(original);

      await restore();

      expect(await harness.fingerprint()).toBe(original);
      expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    }, 120_000);

    test('what a restore replaced is kept, comes back by an undo, and goes again by an undo of that', async () => {
      await harness.damage();
      const damaged = await harness.fingerprint();

      expect(await restore({ name: 'first', keepHours: 1 })).toBe('first');
      expect(await names()).toEqual(['first']);
      await undo('first', 'second');
      expect(await harness.fingerprint()).toBe(damaged);
      expect(await names()).toEqual(['second']);
      await undo('second', 'third');

      expect(await harness.fingerprint()).toBe(original);
      expect(await names()).toEqual(['third']);
      const error = await errorOf(async () => await undo('first', 'fourth'));
      expect(error.code).toBe('nothing-to-undo');
    }, 120_000);

    test('an undo is refused when another restore came since, and goes through once that is undone', async () => {
      await undo('third', 'fourth');
      const damaged = await harness.fingerprint();
      await restore({ name: 'a', keepHours: 1 });
      await restore({ name: 'b', keepHours: 1 });

      const error = await errorOf(async () => await undo('a', 'c'));
      expect(error).toMatchObject({
        code: 'undo-superseded',
        hint: expect.stringMatching(/undo b/),
      });
      expect(await harness.fingerprint()).toBe(original);
      await undo('b', 'd');
      await undo('a', 'e');

      expect(await harness.fingerprint()).toBe(damaged);
    }, 180_000);

    test('a forced undo passes over a later restore, whose data are kept', async () => {
      await restore({ name: 'f', keepHours: 1 });
      await restore({ name: 'g', keepHours: 1 });

      await undo('f', 'h', true);

      expect(await harness.fingerprint()).not.toBe(original);
      expect(await names()).toEqual(expect.arrayContaining(['g', 'h']));
      await undo('h', 'i');
      expect(await harness.fingerprint()).toBe(original);
    }, 180_000);

    test('an undo of data that do not start leaves the live ones serving, and the others kept', async () => {
      await restore({ name: 'j', keepHours: 1 });
      const staged = await harness.engine.createUndo({ undoOf: 'j', name: 'k', keepHours: 1 });
      await staged.verify(never());
      await harness.breakStagedUndo();

      const error = await errorOf(async () => await staged.swap(never()));

      expect(error.code).toBe('restore-rolled-back');
      expect(await harness.fingerprint()).toBe(original);
      expect(await names()).toContain('j');
      expect((await errorOf(async () => await undo('j', 'l'))).code).toBe('verification-failed');
      expect(await harness.fingerprint()).toBe(original);
      expect(await names()).toContain('j');
    }, 180_000);

    test('a restore that keeps nothing drops what it replaced at once', async () => {
      const before = await names();

      expect(await restore({ name: 'm', keepHours: 0 })).toBeUndefined();

      expect(await names()).toEqual(before);
      expect((await errorOf(async () => await undo('m', 'n'))).code).toBe('nothing-to-undo');
    }, 120_000);

    test('a database ruined beyond starting can be restored', async () => {
      await harness.ruin();

      await restore();

      expect(await harness.fingerprint()).toBe(original);
    }, 120_000);

    test('a restored database can be backed up again', async () => {
      const again = await keepBackup(harness.engine, join(scratch, 'again'));

      expect(again.attributes['engine']).toBe(harness.engine.name);
      expect(again.entries.length).toBeGreaterThan(0);
    }, 120_000);
  });
}

/** What lies beside the data directory of a restore: names that begin like its staging directory. */
export async function besideOf(stagingDirectory: string): Promise<string[]> {
  const prefix = basename(stagingDirectory).replace(/\.staged-.*$/, '.');
  return (await readdir(dirname(stagingDirectory))).filter((name) => name.startsWith(prefix));
}
