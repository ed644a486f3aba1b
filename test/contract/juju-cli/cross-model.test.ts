import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { type Case, expectedAnswer } from '../hook-tools/hook-tools-contract.ts';
import { newSandbox, type Sandbox } from './juju-process.ts';

const { cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'cross-model.json'), 'utf8'),
) as { readonly cases: readonly Case[] };

/** The models that `cross-model.json` describes. */
async function prepare({ juju, folder }: Sandbox): Promise<void> {
  cpSync(join(projectRoot, 'test', 'fixtures', 'charms', 'witness'), join(folder, 'charm'), {
    recursive: true,
  });
  await juju('bootstrap localhost ctrl --add-model first');
  await juju('add-model prod --no-switch');
  await juju('deploy ./charm here');
  await juju('deploy -m prod ./charm there');
  for (const [model, unit] of [
    ['first', 'here/0'],
    ['prod', 'there/0'],
  ] as const) {
    const query = ['--query', 'agent-status=="idle"', '--timeout', '20s'];
    await juju(['wait-for', 'unit', '-m', model, unit, ...query]);
  }
}

describe('calls of juju about offers', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = newSandbox();
    await prepare(sandbox);
  }, 60_000);
  afterAll(async () => sandbox.end(), 60_000);

  test.each(cases.map((one) => [one.call.join(' '), one] as const))(
    'juju %s',
    async (_, one) => {
      const { code, out, err } = await sandbox.juju(one.call);
      const answer = { code: code ?? -1, stdout: out, stderr: err };
      expect(answer).toEqual(expectedAnswer(one, answer, () => undefined));
      if (one.call.join(' ') === 'integrate here prod.hosted') {
        await joined(sandbox);
      }
    },
    30_000,
  );
});

/** Both models have heard of each other. */
async function joined({ juju }: Sandbox): Promise<void> {
  for (;;) {
    const { out } = await juju('show-unit -m prod there/0 --endpoint serves');
    if (out.includes('in-scope: true')) {
      return;
    }
  }
}
