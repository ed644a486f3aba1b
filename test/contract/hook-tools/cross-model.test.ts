import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';
import {
  type Case,
  expectedAnswer,
  type Group,
  readAnswer,
  scriptFor,
} from './hook-tools-contract.ts';

interface CrossModelGroup extends Group {
  readonly model: 'consuming' | 'offering';
  /** A call that succeeds once the other model's changes are there. */
  readonly awaits?: Case['call'];
}

const { groups } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'cross-model.json'), 'utf8'),
) as { readonly groups: readonly CrossModelGroup[] };

let consuming: SandboxDaemon;
let offering: SandboxDaemon;
let values = '';

beforeAll(async () => {
  consuming = await SandboxDaemon.start();
  offering = await consuming.addModel('prod');
  values = consuming.root;
  await consuming.deploy('mine');
  await offering.deploy('theirs', {
    scripts: {
      'serves-relation-created': 'relation-set colour=blue\nrelation-set --app shape=round',
    },
  });
  await offering.call('offer', { application: 'theirs', endpoints: ['serves'], name: 'theirs' });
  await consuming.consume(offering, 'theirs');
  await consuming.call('integrate', { endpoints: ['mine', 'theirs'] });
  for (const [name, model] of Object.entries({ consuming, offering })) {
    writeFileSync(join(values, name), (await model.call('ping', {})).modelUuid);
  }
  await consuming.waitFor('both sides to have joined', async () => {
    const { stdout } = await consuming.exec('mine/0', 'relation-get -r 1 colour theirs/0');
    const events = await offering.events('theirs/0');
    return stdout === 'blue\n' && events.some((one) => one.startsWith('serves-relation-joined'));
  });
}, 60_000);

afterAll(async () => {
  await offering.destroy();
  await consuming.destroy();
}, 60_000);

for (const [number, group] of groups.entries()) {
  describe(`hook tools on ${group.unit} of the ${group.model} model`, () => {
    let directory = '';
    beforeAll(async () => {
      const model = group.model === 'consuming' ? consuming : offering;
      directory = join(values, `answers-${number}`);
      const first = join(values, `awaits-${number}`);
      await mkdir(directory);
      await mkdir(first);
      if (group.awaits !== undefined) {
        const awaited: Group = { ...group, cases: [{ call: group.awaits }] };
        await model.waitFor('what the other model changed', async () => {
          await model.exec(group.unit, scriptFor(awaited, { directory: first, values }));
          return readAnswer(first, 0).code === 0;
        });
      }
      await model.exec(group.unit, scriptFor(group, { directory, values }));
    }, 60_000);

    for (const [index, one] of group.cases.entries()) {
      test(`${index}: ${one.call.join(' ')}`, () => {
        const answer = readAnswer(directory, index);
        expect(answer).toEqual(
          expectedAnswer(one, answer, (name) => readFileSync(join(values, name), 'utf8')),
        );
      });
    }
  });
}
