/** Calls of juju with the answers Juju gives, as cases of a JSON file, in the order written there. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { type Case, expectedAnswer } from '../hook-tools/hook-tools-contract.ts';
import { newSandbox, type Sandbox } from './juju-process.ts';

export interface CallsContractOptions {
  /** What they are calls of. */
  readonly name: string;
  /** In this folder. */
  readonly file: string;
  /** Makes what the cases begin from; `./charm` is the witness. */
  readonly prepare: (sandbox: Sandbox) => Promise<void>;
  /** Waits for what a call leads to where later cases need it. */
  readonly settle?: (call: string, sandbox: Sandbox) => Promise<void>;
}

export function describeCalls({ name, file, prepare, settle }: CallsContractOptions): void {
  const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as {
    readonly cases: readonly Case[];
  };

  describe(`calls of ${name}`, () => {
    let sandbox: Sandbox;
    beforeAll(async () => {
      sandbox = newSandbox();
      const witness = join(projectRoot, 'test', 'fixtures', 'charms', 'witness');
      cpSync(witness, join(sandbox.folder, 'charm'), { recursive: true });
      await prepare(sandbox);
    }, 60_000);
    afterAll(async () => sandbox.end(), 60_000);

    test.each(cases.map((one) => [one.call.join(' '), one] as const))(
      'juju %s',
      async (call, one) => {
        const { code, out, err } = await sandbox.juju(one.call);
        const answer = { code: code ?? -1, stdout: out, stderr: err };
        expect(answer).toEqual(expectedAnswer(one, answer, () => undefined));
        await settle?.(call, sandbox);
      },
      30_000,
    );
  });
}

/** Waits until units have nothing left to do. */
export async function idle(
  { juju }: Sandbox,
  units: readonly { readonly model: string; readonly unit: string }[],
): Promise<void> {
  const query = ['--query', 'agent-status=="idle"', '--timeout', '20s'];
  for (const { model, unit } of units) {
    // One after the other, as cheap as side by side.
    // oxlint-disable-next-line no-await-in-loop
    await juju(['wait-for', 'unit', '-m', model, unit, ...query]);
  }
}
