/** The end of a sandbox whose units cannot end by themselves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { killController } from '#sandbox';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

const SUBORDINATE = `
name: helper
summary: Lives beside others.
description: A subordinate in plain shell.
subordinate: true
requires:
  host: { interface: juju-info, scope: container }
`;

// Longer than a test may take: who waits for it fails.
const TIMEOUT_MS = 300_000;

test('it waits for no unit without an agent, and for no frozen hook', async () => {
  const sandbox = await SandboxDaemon.start();
  try {
    await sandbox.deploy('lost');
    await sandbox.deploy('helper', { files: { 'metadata.yaml': SUBORDINATE } });
    await sandbox.call('integrate', { endpoints: ['helper', 'lost:juju-info'] });
    await sandbox.waitFor('the subordinate', async () => await sandbox.unit('helper/0'));
    await sandbox.deploy('frozen', { scripts: { act: 'touch began; sleep 1' } });
    await sandbox.settle();
    // Its principal would wait for it.
    await sandbox.call('fault', { fault: 'stop-agent', unit: 'helper/0' });
    await sandbox.call('run', { targets: ['frozen/0'], action: 'act', params: {} });
    await sandbox.waitFor('the action', async () =>
      Promise.resolve(existsSync(join(sandbox.charmDirectory('frozen/0'), 'began'))),
    );
    await sandbox.call('fault', { fault: 'freeze', unit: 'frozen/0' });

    const gone: string[] = [];
    await killController(sandbox.root, {
      timeoutMs: TIMEOUT_MS,
      onProgress: ({ units }) => gone.push(units.join(' ')),
    });
    expect(gone.at(-1)?.includes('helper/0')).toBe(false);
    expect(existsSync(sandbox.root)).toBe(false);
  } finally {
    await sandbox.destroy();
  }
}, 60_000);
