/** Published charm libraries, unmodified, on both ends of their relations. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { JujuSandbox } from '../helpers/juju-sandbox.ts';
import { packPythonCharm } from '../helpers/python-charm.ts';
import { describeWithPython } from '../helpers/python-venv.ts';

jest.setTimeout(300_000);

const CHARMS = join(projectRoot, 'test', 'interop', 'charms');
const DINER = 'diner/0';

interface Report {
  readonly storage: readonly { event: string; info: Readonly<Record<string, unknown>> }[];
  readonly resources: readonly Readonly<Record<string, unknown>>[];
}

const lastInfo = (found: Report) => found.storage.at(-1)?.info ?? {};

await describeWithPython('charm libraries of PyPI', 'charm-libraries', (venv) => {
  let sandbox: JujuSandbox;
  let scratch = '';

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'interop-libraries-'));
    sandbox = await JujuSandbox.bootstrap();
    for (const charm of ['cellar', 'diner']) {
      await sandbox.juju('deploy', await packPythonCharm(join(CHARMS, charm), venv, scratch));
    }
    await sandbox.juju('config', 'cellar', 'chain=one,two');
    await addCredentials('keys', 'AKIA', 'first secret');
    await sandbox.waitForApplication('cellar');
    await sandbox.waitForApplication('diner');
  });
  afterAll(async () => {
    await sandbox?.destroy();
    await rm(scratch, { recursive: true, force: true });
  });

  const credentials = async (access: string, secret: string) => [
    `access-key#file=${await sandbox.privateFile('access', access)}`,
    `secret-key#file=${await sandbox.privateFile('secret', secret)}`,
  ];
  const addCredentials = async (name: string, access: string, secret: string) => {
    const uri = await sandbox.juju('add-secret', name, ...(await credentials(access, secret)));
    await sandbox.juju('grant-secret', name, 'cellar');
    await sandbox.juju('config', 'cellar', `credentials=${uri.trim()}`);
  };
  const report = async (): Promise<Report> =>
    JSON.parse((await sandbox.run(DINER, 'report')).results['report'] ?? '{}') as Report;
  /** Waits until the diner says so, idle; then answers its report. */
  const untilItSays = async (message: string) => {
    await sandbox.waitFor(
      `the diner to say "${message}"`,
      async () => {
        const unit = await sandbox.unit(DINER);
        const isIdle = unit?.['juju-status'].current === 'idle';
        return isIdle && unit['workload-status'].message === message;
      },
      { timeoutMs: 120_000 },
    );
    return await report();
  };

  describe('object-storage-charmlib', () => {
    test('hands over the keys in a secret, and the rest in the databag', async () => {
      await sandbox.juju('integrate', 'cellar:s3', 'diner:s3');
      const found = await untilItSays('AKIA, none');
      expect(lastInfo(found)).toMatchObject({
        'access-key': 'AKIA',
        'secret-key': 'first secret',
        bucket: 'cutlery',
        endpoint: 'http://192.0.2.1:9000',
        'tls-ca-chain': ['one', 'two'],
      });
      const shown = JSON.stringify(await sandbox.showUnit(DINER));
      expect(shown).toContain('"secret-extra":"secret:');
      expect(shown).not.toContain('first secret');
    });

    test('tells of rotated keys', async () => {
      await sandbox.juju('update-secret', 'keys', ...(await credentials('AKIB', 'second secret')));
      const found = await untilItSays('AKIB, none');
      expect(lastInfo(found)).toMatchObject({ 'access-key': 'AKIB', bucket: 'cutlery' });
    });

    test('tells that they are gone with the relation', async () => {
      await sandbox.juju('remove-relation', 'cellar:s3', 'diner:s3');
      expect((await untilItSays('gone, none')).storage.at(-1)?.event).toBe('storage-gone');
    });
  });

  describe('dpcharmlibs-interfaces', () => {
    test('answers the request for a database with a user in a secret', async () => {
      await sandbox.juju('integrate', 'cellar:database', 'diner:database');
      const { resources } = await untilItSays('gone, first');
      expect(resources).toMatchObject([
        {
          event: 'resource_created',
          username: 'cook',
          password: 'first',
          endpoints: '192.0.2.1:5432',
          version: '16.4',
        },
      ]);
      expect(JSON.stringify(await sandbox.showUnit(DINER))).not.toContain('cook');
    });

    test('tells of a changed password', async () => {
      await sandbox.run('cellar/0', 'change-password', { password: 'second' });
      const { resources } = await untilItSays('gone, second');
      expect(resources.at(-1)).toMatchObject({ event: 'authentication_updated' });
    });
  });
});
