/** The example charm of the SDK, packed and deployed in the sandbox as its README says. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { packedCharm } from '../helpers/packed-charms.ts';

jest.setTimeout(300_000);

// Whoever is greeted: a charm that only has the other end of the relation.
const GUEST = {
  'metadata.yaml':
    'name: world\nsummary: A guest\ndescription: To be greeted\nprovides: {host: {interface: guests}}\n',
  dispatch:
    '#!/bin/sh\ncase $JUJU_DISPATCH_PATH in hooks/start) status-set active ;; esac\nexit 0\n',
};

let sandbox: JujuSandbox;
let scratch = '';

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'ops-example-'));
  const guest = join(scratch, 'world');
  await mkdir(guest);
  for (const [name, text] of Object.entries(GUEST)) {
    await writeFile(join(guest, name), text, { mode: 0o755 });
  }
  const source = resolve('test/fixtures/ops/example-charm');
  const packed = await packedCharm('greeter', source);
  sandbox = await JujuSandbox.bootstrap();
  await sandbox.juju('deploy', packed.path, 'greeter');
  await sandbox.juju('deploy', guest, 'world');
});
afterAll(async () => {
  await sandbox.destroy();
  await rm(scratch, { recursive: true, force: true });
});

/** What guests see in the relation. */
async function greetingSeen(text: string): Promise<boolean> {
  return JSON.stringify(await sandbox.showUnit('world/0')).includes(text);
}

test('it waits for guests, says so, and greets who comes', async () => {
  await sandbox.waitForApplication('greeter', 'waiting');
  const unit = await sandbox.unit('greeter/0');
  expect(unit?.['workload-status'].message).toBe('for guests');

  await sandbox.juju('integrate', 'greeter:guests', 'world:host');
  await sandbox.waitForApplication('greeter', 'active');
  expect(await greetingSeen('Hello, world!')).toBe(true);
});

test('a change of its configuration reaches its guests', async () => {
  await sandbox.juju('config', 'greeter', 'greeting=Salut');
  const seen = sandbox.waitFor('the new greeting', () => greetingSeen('Salut, world!'));
  await expect(seen).resolves.toBe(true);
});

test('its action answers, and fails with what to do when nothing is configured', async () => {
  const { status, results } = await sandbox.run('greeter/0', 'greet', { name: 'Ada' });
  expect({ status, greeting: results['greeting'] }).toEqual({
    status: 'completed',
    greeting: 'Salut, Ada!',
  });

  await sandbox.juju('config', 'greeter', 'greeting=');
  await sandbox.waitForApplication('greeter', 'blocked');
  const failed = await sandbox.run('greeter/0', 'greet', { name: 'Ada' });
  expect(failed).toMatchObject({
    status: 'failed',
    message: expect.stringContaining('juju config greeter greeting=Hello'),
  });
});
