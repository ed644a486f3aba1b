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
      await runGroup(group, scriptFor(group, directory));
    }, 60_000);

    for (const [index, one] of group.cases.entries()) {
      test(`${index}: ${one.call.join(' ')}`, () => {
        const answer = readAnswer(directory, index);
        expect(answer).toEqual(expectedAnswer(one, answer, address));
      });
    }
  });
}

async function runGroup({ context, unit }: Group, script: string): Promise<void> {
  switch (context) {
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
