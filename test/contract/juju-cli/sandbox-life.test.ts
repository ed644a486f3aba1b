import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { processesUsing } from '../../helpers/processes.ts';
import { newSandbox, type Sandbox } from './juju-process.ts';
import { writeShellCharm } from './shell-charm.ts';

describe('the life of a sandbox', () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = newSandbox();
    writeShellCharm(sandbox.folder);
  });
  afterAll(async () => sandbox.end());

  test('starts, and refuses to start twice with a sentence that says what to do', async () => {
    expect(await sandbox.juju('bootstrap')).toMatchObject({ code: 0, out: '' });
    const again = await sandbox.juju('bootstrap');
    expect(again.code).toBe(1);
    expect(again.err).toContain('juju kill-controller --no-prompt');
  });

  test('says that the model is empty', async () => {
    expect(await sandbox.juju('status')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^\nModel "\S+" is empty\.\n$/),
    });
  });

  test('knows its one model and no other', async () => {
    expect(await sandbox.juju('status -m nope')).toMatchObject({ code: 1, out: '' });
  });

  test('goes on with what it had after the daemon was killed', async () => {
    expect(await sandbox.juju('deploy ./tiny')).toMatchObject({ code: 0 });
    const pid = Number(readFileSync(join(sandbox.data, 'daemon.pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    const status = await sandbox.juju('status --format=json');
    expect(status).toMatchObject({ code: 0, err: expect.stringContaining('starting it again') });
    expect(Object.keys(JSON.parse(status.out).applications)).toEqual(['tiny']);
  });

  test('stops after yes, leaves no process and no state, and can start anew', async () => {
    const no = await sandbox.juju('kill-controller', { input: 'n\n' });
    expect(no).toMatchObject({ code: 1, err: expect.stringContaining('ERROR aborted\n') });
    const yes = await sandbox.juju('kill-controller', { input: 'y\n' });
    expect(yes).toMatchObject({ code: 0 });
    expect(await processesUsing(sandbox.folder)).toEqual([]);
    expect(existsSync(sandbox.data)).toBe(false);
    expect(await sandbox.juju('bootstrap')).toMatchObject({ code: 0 });
  });
});
