/** kill -9 of the restoring process at every step: the database ends serving, with the right data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RESTORE_STEPS } from '../../../lib/engines/postgresql/restore.ts';
import { besideOf, type KeptBackup, keepBackup } from '../../contract/engine-contract.ts';
import { createPostgresqlHarness, type PostgresqlHarness } from './postgresql-harness.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/restore-until.ts', import.meta.url));

describe('a restore whose process is killed', () => {
  let harness: PostgresqlHarness;
  let scratch: string;
  let kept: KeptBackup;
  let inBackup: string;
  let inLive: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'engine-crash-'));
    harness = await createPostgresqlHarness(10_000);
    inBackup = await harness.fingerprint();
    kept = await keepBackup(harness.engine, join(scratch, 'kept'));
    await harness.damage();
    inLive = await harness.fingerprint();
  }, 60_000);

  afterAll(async () => {
    await harness[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  }, 60_000);

  async function killRestoreAt(until: string): Promise<void> {
    const child = spawn(process.execPath, [FIXTURE], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { config } = harness;
    const { attributes, directory } = kept;
    child.stdin.end(JSON.stringify({ config, attributes, directory, until }));
    const [arrived] = await once(child.stdout, 'data');
    expect(String(arrived).trim()).toBe(until);
    expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  const unconfirmed = RESTORE_STEPS.filter((step) => step !== 'confirmed');

  test.each(['staging', ...unconfirmed])(
    'at "%s" leaves the old data serving',
    async (step) => {
      await killRestoreAt(step);

      const outcome = await harness.engine.recoverInterruptedRestore();

      expect(outcome).toBe('rolled-back');
      expect(await harness.fingerprint()).toBe(inLive);
      expect(await besideOf(`${harness.config.dataDirectory}.staged-x`)).toEqual([]);
      expect(await harness.engine.recoverInterruptedRestore()).toBe('nothing');
    },
    60_000,
  );

  test('while the server is being started leaves the old data serving', async () => {
    // At `new-in-place` the fixture waits; here it goes on, and dies with the start under way.
    const child = spawn(process.execPath, [FIXTURE], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { attributes, directory } = kept;
    child.stdin.end(
      JSON.stringify({ config: harness.config, attributes, directory, until: 'server-started' }),
    );
    while (!(await besideOf(`${harness.config.dataDirectory}.staged-x`)).some(isBefore)) {
      await new Promise((resolve) => void setTimeout(resolve, 5));
    }
    child.kill('SIGKILL');
    await once(child, 'exit');

    const outcome = await harness.engine.recoverInterruptedRestore();

    expect(outcome).toBe('rolled-back');
    expect(await harness.fingerprint()).toBe(inLive);
    expect(await besideOf(`${harness.config.dataDirectory}.staged-x`)).toEqual([]);
  }, 60_000);

  test('with the server killed too leaves the old data serving', async () => {
    await killRestoreAt('server-started');
    await harness.kill();

    const outcome = await harness.engine.recoverInterruptedRestore();

    expect(outcome).toBe('rolled-back');
    expect(await harness.fingerprint()).toBe(inLive);
  }, 60_000);

  test('after the confirmation leaves the restored data serving', async () => {
    await killRestoreAt('confirmed');

    const outcome = await harness.engine.recoverInterruptedRestore();

    expect(outcome).toBe('completed');
    expect(await harness.fingerprint()).toBe(inBackup);
    expect(await besideOf(`${harness.config.dataDirectory}.staged-x`)).toEqual([]);
  }, 60_000);
});

function isBefore(name: string): boolean {
  return name.includes('.before-');
}
