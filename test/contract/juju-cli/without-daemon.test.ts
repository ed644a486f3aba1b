import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { newSandbox, type Sandbox } from './juju-process.ts';

describe('the juju program without a sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = newSandbox();
  });
  afterAll(async () => sandbox.end());

  test('answers help on standard output with exit code 0', async () => {
    expect(await sandbox.juju('')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('juju bootstrap'),
    });
  });

  test.each([
    ['status', 1, 'Run "juju bootstrap"'],
    ['run', 2, 'no unit specified'],
    ['status --nope', 2, 'option provided but not defined: --nope'],
    ['debug-hooks x', 2, 'not available in the sandbox'],
  ])('%s exits %d', async (line, code, message) => {
    const answer = await sandbox.juju(line);
    expect(answer).toMatchObject({ code, out: '', err: expect.stringContaining(message) });
    expect(answer.err.startsWith('ERROR ')).toBe(true);
  });

  test('leaves nothing behind when there is no sandbox', async () => {
    await sandbox.juju('status');
    await sandbox.juju('kill-controller --no-prompt');
    expect(existsSync(sandbox.data)).toBe(false);
  });

  test('ends quietly when its reader goes away', async () => {
    const program = new URL('../../../lib/sandbox/bin/juju.mjs', import.meta.url).pathname;
    const result = await runProcess('/bin/sh', [
      '-c',
      `"$0" "$1" help commands | head -1`,
      process.execPath,
      program,
    ]);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('can be started by the Node of the machine, whatever it is', async () => {
    const version = await sandbox.juju('version', { node: nodeOfTheMachine() });
    expect(version).toMatchObject({ code: 0, out: expect.stringContaining('-sandbox-') });
    expect(await sandbox.juju('run', { node: nodeOfTheMachine() })).toMatchObject({ code: 2 });
  });
});

/** The first one on PATH that is not ours; ours where there is no other. */
function nodeOfTheMachine(): string {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, 'node'))
    .find((path) => existsSync(path) && !path.includes('node_modules'));
  return found ?? process.execPath;
}
