/** A packed charm that defers, in the sandbox: nothing is lost, nothing comes twice, whatever breaks. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { packCharm } from '#tooling';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';

jest.setTimeout(300_000);

const UNIT = 'tidal/0';
let sandbox: JujuSandbox;
let scratch = '';

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ops-deferral-'));
  const source = resolve('test/fixtures/ops/tidal-charm');
  const packed = await packCharm('tidal', { source, outputDirectory: scratch });
  sandbox = await JujuSandbox.bootstrap();
  await sandbox.juju('deploy', packed.path, 'tidal', '--config', `flags=${scratch}`);
  await settle('handled 1');
});
afterAll(async () => {
  await sandbox.destroy();
  await rm(scratch, { recursive: true, force: true });
});

const raise = async (flag: string) => await writeFile(join(scratch, flag), '');
const lower = async (flag: string) => await rm(join(scratch, flag));

/** What its handlers did so far, in order; each line once a run, also of runs that failed. */
async function log(): Promise<readonly string[]> {
  return (await readFile(join(scratch, 'log'), 'utf8')).trim().split('\n');
}

/** The heights it handled in dispatches that succeeded, as it keeps them. */
async function kept(): Promise<string> {
  return (await sandbox.run(UNIT, 'report')).results['handled'] ?? '';
}

async function settle(message: string): Promise<void> {
  await sandbox.waitFor(`${UNIT} to say "${message}"`, async () => {
    const unit = await sandbox.unit(UNIT);
    return unit?.['workload-status'].message === message && unit['juju-status'].current === 'idle';
  });
}

async function inError(): Promise<void> {
  await sandbox.waitFor('the hook to fail', async () => {
    const unit = await sandbox.unit(UNIT);
    return unit?.['workload-status'].current === 'error';
  });
}

test('what was deferred in a dispatch that fails later is Juju’s to repeat, and is queued once', async () => {
  await raise('hold');
  await raise('fail');
  await sandbox.juju('config', 'tidal', 'height=1');
  await inError();
  // An action in the meantime finds nothing that waits: the failed dispatch left nothing.
  const before = (await log()).length;
  expect(await kept()).toBe('0');
  expect((await log()).slice(before).filter((line) => line !== 'deferred')).toEqual([]);

  await lower('fail');
  await sandbox.tryJuju(['resolved', UNIT]);
  await settle('handled 1');
  await lower('hold');
  expect(await kept()).toBe('0 1');
  expect(await kept()).toBe('0 1');
});

test('what waits survives a dispatch that fails after it was handled, and then counts once', async () => {
  await raise('hold');
  await sandbox.juju('config', 'tidal', 'height=2');
  await sandbox.waitFor(
    'the event to be deferred',
    async () => (await log()).at(-1) === 'deferred',
  );
  await settle('handled 2');
  await lower('hold');
  await raise('fail');
  // Given again and handled, then the new event's own observer throws: all of it is undone.
  await sandbox.juju('config', 'tidal', 'height=3');
  await inError();
  await lower('fail');
  await sandbox.tryJuju(['resolved', UNIT]);
  await settle('handled 4');
  // The one that waited and the new one, once each, though both ran twice or more.
  expect(await kept()).toBe('0 1 3 3');
  expect((await log()).filter((line) => line === 'handled 3').length).toBeGreaterThan(2);
});

test('what waits survives that the agent is killed in the middle, and then counts once', async () => {
  await raise('hold');
  await sandbox.juju('config', 'tidal', 'height=4');
  await sandbox.waitFor(
    'the event to be deferred',
    async () => (await log()).at(-1) === 'deferred',
  );
  await settle('handled 4');
  await lower('hold');
  await raise('hang');
  await sandbox.juju('config', 'tidal', 'height=5');
  await sandbox.waitFor('the handler to hang', async () => (await log()).at(-1) === 'hangs');
  process.kill(await sandbox.daemonPid(), 'SIGKILL');
  await lower('hang');
  // The next command starts the daemon again; Juju counts the hook as failed and runs it again.
  await sandbox.tryJuju(['resolved', UNIT]);
  await settle('handled 6');
  expect(await kept()).toBe('0 1 3 3 5 5');
  expect(await kept()).toBe('0 1 3 3 5 5');
});

test('a dispatch by juju-exec queues behind a hook that runs, and is not hindered', async () => {
  await raise('hang');
  await sandbox.juju('config', 'tidal', 'height=6');
  await sandbox.waitFor('the handler to hang', async () => (await log()).at(-1) === 'hangs');
  const queued = sandbox.tryJuju(
    [
      'exec',
      '--unit',
      UNIT,
      '--',
      'JUJU_DISPATCH_PATH=hooks/update-status ./dispatch && echo well',
    ],
    [0, 1, 2],
  );
  await lower('hang');
  expect((await queued).stdout).toContain('well');
});
