/**
 * kill -9 of the process of a restore, or of an undo, at every step: the database ends serving, with the old
 * data or with the new ones, and nothing kept is lost.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RESTORE_STEPS } from '../../../lib/engines/postgresql/restore.ts';
import { besideOf, errorOf, type KeptBackup, keepBackup } from '../../contract/engine-contract.ts';
import { compileCache } from '../../helpers/shared-things.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/restore-until.ts', import.meta.url));
const CONFIRMED = RESTORE_STEPS.indexOf('confirmed');
const UNCONFIRMED = ['staging', ...RESTORE_STEPS.slice(0, CONFIRMED)];

let harness: PostgresqlHarness;
let scratch: string;
let kept: KeptBackup;
let inBackup: string;
let inLive: string;
let count = 0;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'engine-crash-'));
  harness = await createPostgresqlHarness(10_000);
  inBackup = await harness.fingerprint();
  kept = await keepBackup(harness.engine, join(scratch, 'kept'));
  await harness.damage();
  inLive = await harness.fingerprint();
}, 180_000);

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
}, 180_000);

/** A restore of its own process, or the undo of one; every one has a new name. */
function begin(until: string, undoOf?: string): { child: ChildProcess; name: string } {
  const child = spawn(process.execPath, [FIXTURE], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...compileCache() },
  });
  count += 1;
  const name = `job-${count}`;
  const { attributes, directory } = kept;
  const task = { config: harness.config, attributes, directory, until, name, undoOf };
  child.stdin.end(JSON.stringify(task));
  return { child, name };
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function killAt(until: string, undoOf?: string): Promise<string> {
  const { child, name } = begin(until, undoOf);
  const [arrived] = await once(child.stdout ?? child, 'data');
  expect(String(arrived).trim()).toBe(until);
  expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
  await kill(child);
  return name;
}

async function complete(undoOf?: string): Promise<string> {
  const { child, name } = begin('never', undoOf);
  expect(await once(child, 'exit')).toEqual([0, null]);
  return name;
}

async function names(): Promise<readonly string[]> {
  return (await harness.engine.keptCopies()).map((copy) => copy.name);
}

/** Everything beside the live data that is no kept copy. */
async function remains(): Promise<string[]> {
  const found = await besideOf(`${harness.config.dataDirectory}.staged-x`);
  return found.filter((name) => !name.includes('.kept'));
}

describe('a restore whose process is killed', () => {
  test.each(UNCONFIRMED)(
    'at "%s" leaves the old data serving',
    async (step) => {
      await killAt(step);

      const outcome = await harness.engine.recoverInterruptedRestore();

      expect(outcome).toBe('rolled-back');
      expect(await harness.fingerprint()).toBe(inLive);
      expect(await remains()).toEqual([]);
      expect(await names()).toEqual([]);
      expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    },
    180_000,
  );

  test('while the server is being started leaves the old data serving', async () => {
    // At `new-in-place` the fixture waits; here it goes on, and dies with the start under way.
    const { child } = begin('server-started');
    const directory = `${harness.config.dataDirectory}.staged-x`;
    while (!(await besideOf(directory)).some((name) => name.includes('.before-'))) {
      await new Promise((resolve) => void setTimeout(resolve, 5));
    }
    await kill(child);

    const outcome = await harness.engine.recoverInterruptedRestore();

    expect(outcome).toBe('rolled-back');
    expect(await harness.fingerprint()).toBe(inLive);
    expect(await remains()).toEqual([]);
  }, 180_000);

  test('with the server killed too leaves the old data serving', async () => {
    await killAt('server-started');
    await harness.kill();

    const outcome = await harness.engine.recoverInterruptedRestore();

    expect(outcome).toBe('rolled-back');
    expect(await harness.fingerprint()).toBe(inLive);
  }, 180_000);

  test.each(RESTORE_STEPS.slice(CONFIRMED))(
    'at "%s" leaves the restored data serving, and the old ones kept',
    async (step) => {
      const name = await killAt(step);

      const outcome = await harness.engine.recoverInterruptedRestore();

      expect(outcome).toBe('completed');
      expect(await harness.fingerprint()).toBe(inBackup);
      expect(await remains()).toEqual([]);
      expect(await names()).toContain(name);
      await complete(name);
      expect(await harness.fingerprint()).toBe(inLive);
    },
    180_000,
  );
});

describe('an undo whose process is killed', () => {
  let undone: string;

  beforeAll(async () => {
    undone = await complete();
  }, 180_000);

  test.each(UNCONFIRMED)(
    'at "%s" leaves the restored data serving, and the others kept',
    async (step) => {
      await killAt(step, undone);

      const outcome = await harness.engine.recoverInterruptedRestore();

      expect(outcome).toBe('rolled-back');
      expect(await harness.fingerprint()).toBe(inBackup);
      expect(await remains()).toEqual([]);
      expect(await names()).toContain(undone);
      expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    },
    180_000,
  );

  test.each(RESTORE_STEPS.slice(CONFIRMED))(
    'at "%s" leaves the data of before serving, and what it replaced kept',
    async (step) => {
      const name = await killAt(step, undone);

      const outcome = await harness.engine.recoverInterruptedRestore();

      expect(outcome).toBe('completed');
      expect(await harness.fingerprint()).toBe(inLive);
      expect(await remains()).toEqual([]);
      expect(await names()).toContain(name);
      expect(await names()).not.toContain(undone);
      undone = await complete(name);
      expect(await harness.fingerprint()).toBe(inBackup);
    },
    180_000,
  );
});

describe('kept data', () => {
  test('go when their time is over, whatever a killed process has left of them', async () => {
    const name = await complete();
    const past = new Date();
    const later = new Date(past.getTime() + 2 * 3_600_000);

    await harness.cluster.dropExpiredCopies(past, 1);
    expect(await names()).toContain(name);
    await harness.cluster.dropExpiredCopies(later, 1);

    expect(await names()).toEqual([]);
    const error = await errorOf(async () => {
      await harness.engine.prepareUndo({ undoOf: name });
    });
    expect(error.code).toBe('nothing-to-undo');
    while ((await remains()).length > 0) {
      await new Promise((resolve) => void setTimeout(resolve, 20));
    }
    expect(await harness.fingerprint()).toBe(inBackup);
  }, 180_000);

  test('all go at once where nothing is to be kept any more', async () => {
    await complete();

    await harness.cluster.dropExpiredCopies(new Date(), 0);

    expect(await names()).toEqual([]);
  }, 180_000);
});
