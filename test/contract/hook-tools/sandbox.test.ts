import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';
import {
  expectedAnswer,
  type Group,
  groups,
  readAnswer,
  scriptFor,
} from './hook-tools-contract.ts';

const KEEPER = `
name: keeper
summary: Keeps things.
description: A witness with storage.
storage:
  data: { type: filesystem, location: /srv/data }
  logs: { type: filesystem, multiple: { range: 0-2 } }
resources:
  tool: { type: file, filename: tool.bin }
  later: { type: file, filename: later.bin }
`;

let sandbox: SandboxDaemon;
let address = '';

beforeAll(async () => {
  sandbox = await SandboxDaemon.start();
  await sandbox.deploy('mine', { units: 2 });
  await sandbox.deploy('theirs', {
    scripts: {
      'wants-relation-created': 'relation-set colour=blue\nrelation-set --app shape=round',
    },
  });
  await sandbox.deploy('keeps', {
    files: { 'metadata.yaml': KEEPER },
    storage: { logs: { count: 1 } },
    resources: { tool: import.meta.filename },
    trust: true,
  });
  await sandbox.call('integrate', { endpoints: ['mine:serves', 'theirs:wants'] });
  await sandbox.settle();
  address = (await sandbox.unit('mine/0'))?.address ?? '';
}, 60_000);

afterAll(async () => {
  await sandbox.destroy();
});

for (const [number, group] of groups.entries()) {
  describe(`hook tools in ${group.context} on ${group.unit}`, () => {
    let directory = '';
    beforeAll(async () => {
      directory = join(sandbox.root, `answers-${number}`);
      await mkdir(directory);
      await runGroup(group, directory);
    }, 60_000);

    for (const [index, one] of group.cases.entries()) {
      test(`${index}: ${one.call.join(' ')}`, () => {
        const answer = readAnswer(directory, index);
        expect(answer).toEqual(expectedAnswer(one, answer, valueOf));
      });
    }
  });
}

function valueOf(name: string): string | undefined {
  const file = join(sandbox.root, name);
  return name === 'address' ? address : existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

async function runGroup(group: Group, directory: string): Promise<void> {
  const { context, unit } = group;
  const script = scriptFor(group, { directory, values: sandbox.root });
  switch (context) {
    case 'hook':
      await runHook(group, script, directory);
      break;
    case 'exec':
      await sandbox.exec(unit, script);
      break;
    case 'action':
      await sandbox.setScript(unit, 'act', script);
      await sandbox.run(unit, 'act');
      break;
    case 'juju-exec':
      await runProcess('/bin/sh', ['-c', script], {
        env: {
          PATH: `${join(sandbox.root, 'tools')}:/usr/bin:/bin`,
          JUJU_AGENT_SOCKET_ADDRESS: join(sandbox.root, 'run', 'agent.sock'),
        },
      });
      break;
  }
}

/** Inside config-changed; a failed one is resolved without another try. */
async function runHook(
  { unit, exit = 0 }: Group,
  script: string,
  directory: string,
): Promise<void> {
  const application = unit.split('/')[0] ?? '';
  await sandbox.setScript(unit, 'config-changed', script);
  await sandbox.call('set-config', { application, values: { greeting: directory } });
  await sandbox.waitFor('the script to end', async () => existsSync(join(directory, 'done')));
  await sandbox.setScript(unit, 'config-changed', ':');
  if (exit !== 0) {
    await sandbox.waitFor('the hook to fail', async () => {
      const found = await sandbox.unit(unit);
      return found?.workload.current === 'error';
    });
    await sandbox.call('resolved', { units: [unit], noRetry: true });
  }
  await sandbox.settle();
}
