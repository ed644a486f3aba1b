/** Restores where the disk is short: what they drop for it, and what force costs. The disk is only told to be full. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPostgresqlEngine, type Engine, type RestoreRequest } from '#engines';
import { runProcess } from '#system';
import {
  DROP_STEPS,
  RESTORE_STEPS,
  type RestoreStep,
} from '../../../lib/engines/postgresql/restore.ts';
import {
  besideOf,
  errorOf,
  type KeptBackup,
  keepBackup,
  never,
} from '../../contract/engine-contract.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

const MARGIN = 128 * 1024 * 1024;

let harness: PostgresqlHarness;
let scratch: string;
let kept: KeptBackup;
let inBackup: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'engine-space-'));
  harness = await createPostgresqlHarness(5_000);
  kept = await keepBackup(harness.engine, join(scratch, 'kept'));
  inBackup = await harness.fingerprint();
}, 180_000);

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
}, 180_000);

/** An engine on a disk that lacks so many bytes for another copy. */
function engineMissing(bytes: number, pause?: (step: RestoreStep) => Promise<void>): Engine {
  const free = Math.ceil(kept.totalBytes * 1.05) + MARGIN - bytes;
  return createPostgresqlEngine({
    ...harness.config,
    runProcess,
    freeSpace: async () => free,
    ...(pause === undefined ? {} : { pause }),
  });
}

/** More than the kept copies and less than these and the live data. */
async function missing(): Promise<number> {
  const copies = await harness.engine.keptCopies();
  return copies.reduce((sum, { bytes }) => sum + bytes, 0) + 1_000_000;
}

async function restore(engine: Engine, more: Partial<RestoreRequest> = {}): Promise<void> {
  const { attributes, totalBytes } = kept;
  const staged = await engine.createRestore({ attributes, totalBytes, ...more });
  await staged.makeRoom();
  await runProcess('cp', ['-a', `${kept.directory}/.`, staged.stagingDirectory]);
  await staged.verify(never());
  await staged.swap(never());
  await staged.commit();
}

async function names(): Promise<readonly string[]> {
  return (await harness.engine.keptCopies()).map(({ name }) => name);
}

async function remains(): Promise<string[]> {
  return await besideOf(`${harness.config.dataDirectory}.staged-x`);
}

/** As a process that dies there: nothing after the step happens, and recovery finds its journal. */
async function dieAt(step: RestoreStep): Promise<void> {
  const engine = engineMissing(await missing(), async (at) => {
    if (at === step) {
      throw new Error(`died at ${step}`);
    }
  });
  await expect(restore(engine, { isForced: true })).rejects.toThrow(`died at ${step}`);
}

describe('without room for another copy', () => {
  test('the oldest kept data go, no more than needed', async () => {
    for (const name of ['first', 'second', 'third']) {
      await restore(harness.engine, { name, keepHours: 1 });
    }

    await restore(engineMissing(1), { name: 'fourth', keepHours: 1 });

    expect(await names()).toEqual(['second', 'third', 'fourth']);
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);

  test('and without enough kept data it is refused, with nothing touched', async () => {
    const before = await names();
    const engine = engineMissing(2 ** 33);

    const error = await errorOf(async () => await restore(engine));

    expect(error.code).toBe('insufficient-space');
    expect(await names()).toEqual(before);
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);

  test('force does not help where even the live data would not make room', async () => {
    const error = await errorOf(async () => {
      await restore(engineMissing(2 ** 40), { isForced: true });
    });

    expect(error.code).toBe('insufficient-space');
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);
});

describe('a forced restore that must drop the live data', () => {
  test('is offered by the refusal, and told by the plan', async () => {
    const engine = engineMissing(await missing());
    const { attributes, totalBytes } = kept;

    const error = await errorOf(async () => await restore(engine));
    const plan = await engine.prepareRestore({ attributes, totalBytes, isForced: true });

    expect(error).toMatchObject({
      code: 'insufficient-space',
      hint: expect.stringMatching(/restore with force, which drops the live data first/),
    });
    expect(plan).toMatchObject({ dropsLiveData: true });
    expect(plan.droppedCopies).toHaveLength((await names()).length);
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);

  test('ends with the restored data, and no way back', async () => {
    await harness.damage();

    await restore(engineMissing(await missing()), { isForced: true, name: 'forced', keepHours: 1 });

    expect(await harness.fingerprint()).toBe(inBackup);
    expect(await names()).toEqual([]);
    expect(await remains()).toEqual([]);
  }, 180_000);

  test.each(DROP_STEPS.slice(0, 2))(
    'that stops at "%s" has the old data serving again',
    async (step) => {
      await dieAt(step);

      expect(await harness.engine.recoverInterruptedRestore()).toBe('rolled-back');
      expect(await harness.fingerprint()).toBe(inBackup);
      expect(await remains()).toEqual([]);
    },
    180_000,
  );

  test.each([...DROP_STEPS.slice(2), 'rehearsing' as const])(
    'that stops at "%s" says that the data are gone, and another restore mends it',
    async (step) => {
      await dieAt(step);

      expect(await harness.engine.recoverInterruptedRestore()).toBe('data-gone');
      expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
      expect(await remains()).toEqual([]);
      expect((await stat(harness.config.dataDirectory)).isDirectory()).toBe(true);
      await restore(harness.engine);
      expect(await harness.fingerprint()).toBe(inBackup);
    },
    180_000,
  );

  test('that fails with the new data in place says that nothing serves, and leaves no journal', async () => {
    const engine = engineMissing(await missing(), async (at) => {
      if (at === 'healthy') {
        throw new Error('the check failed');
      }
    });

    const error = await errorOf(async () => await restore(engine, { isForced: true }));

    expect(error).toMatchObject({ code: 'forced-restore-failed' });
    expect(error.message).toMatch(/the check failed/);
    expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    await restore(harness.engine);
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);

  test.each(RESTORE_STEPS.slice(1, RESTORE_STEPS.indexOf('confirmed')))(
    'that stops at "%s" of the exchange goes on to the restored data',
    async (step) => {
      let arrive: (value?: unknown) => void;
      const arrived = new Promise((resolve) => {
        arrive = resolve;
      });
      // Waits for ever, as a process does that is dead.
      const engine = engineMissing(await missing(), async (at) => {
        if (at === step) {
          arrive();
          await new Promise(() => undefined);
        }
      });
      void restore(engine, { isForced: true });
      await arrived;

      expect(await harness.engine.recoverInterruptedRestore()).toBe('completed');
      expect(await harness.fingerprint()).toBe(inBackup);
      expect(await remains()).toEqual([]);
    },
    180_000,
  );
});
