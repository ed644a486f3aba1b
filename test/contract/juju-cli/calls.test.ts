import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { type Case, expectedAnswer } from '../hook-tools/hook-tools-contract.ts';
import { newSandbox, type Sandbox } from './juju-process.ts';

const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'cases.json'), 'utf8')) as {
  readonly cases: readonly Case[];
};

/** The model that `cases.json` describes. */
async function prepare({ juju, folder }: Sandbox): Promise<void> {
  cpSync(join(projectRoot, 'test', 'fixtures', 'charms', 'witness'), join(folder, 'charm'), {
    recursive: true,
  });
  await juju('bootstrap localhost ctrl --add-model first');
  await juju('deploy ./charm a -n 2');
  for (const unit of ['a/0', 'a/1']) {
    await juju(['wait-for', 'unit', unit, '--query', 'agent-status=="idle"', '--timeout', '20s']);
  }
}

describe('calls of juju', () => {
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
    },
    30_000,
  );
});
