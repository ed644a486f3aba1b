import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SandboxDaemon } from '../../helpers/sandbox-daemon.ts';

let consuming: SandboxDaemon;
let offering: SandboxDaemon;

beforeEach(async () => {
  consuming = await SandboxDaemon.start();
  offering = await consuming.addModel('prod');
});
afterEach(async () => {
  await offering.destroy();
  await consuming.destroy();
});

/** `mine` here wants what `theirs` there serves, by way of an offer. */
async function related(
  scripts: { readonly mine?: Scripts; readonly theirs?: Scripts } = {},
): Promise<{ readonly remote: string }> {
  await Promise.all([
    offering.deploy('theirs', { scripts: scripts.theirs ?? {} }),
    consuming.deploy('mine', { scripts: scripts.mine ?? {} }),
  ]);
  await offering.call('offer', { application: 'theirs', endpoints: ['serves'], name: 'theirs' });
  await consuming.consume(offering, 'theirs');
  await consuming.call('integrate', { endpoints: ['mine', 'theirs'] });
  const event = await seen(offering, 'theirs/0', /^serves-relation-changed unit=(remote-\S+)\/0 /);
  await seen(consuming, 'mine/0', /^wants-relation-changed unit=theirs\/0 /);
  return { remote: event.replace(/^.* app=/, '') };
}

type Scripts = Readonly<Record<string, string>>;

async function seen(model: SandboxDaemon, unit: string, event: RegExp): Promise<string> {
  return await model.waitFor(`${unit} to see ${event.source}`, async () =>
    (await model.events(unit)).find((one) => event.test(one)),
  );
}

async function relationsOf(model: SandboxDaemon): Promise<readonly string[]> {
  const { relations } = await model.status();
  return relations.filter(({ type }) => type === 'regular').map(({ provider }) => provider);
}

async function gone(model: SandboxDaemon): Promise<void> {
  await model.waitFor(
    'the relation to be gone',
    async () => (await relationsOf(model)).length === 0,
  );
}

async function saas(): Promise<string | undefined> {
  return (await consuming.status()).remoteApplications.find(({ name }) => name === 'theirs')?.status
    .current;
}

const LEFT = /^(serves|wants)-relation-(departed|broken)/;
const leavings = (events: readonly string[]) => events.filter((one) => LEFT.test(one));

describe('a relation between two models', () => {
  test('has the hooks, data and names of Juju on both sides', async () => {
    const { remote } = await related({
      mine: {
        'wants-relation-created': 'relation-set colour=blue\nrelation-set --app shape=round',
      },
      theirs: { 'serves-relation-created': 'relation-set url=here' },
    });
    expect(remote).toMatch(/^remote-[0-9a-f]{32}$/);
    const ours = (await consuming.events('mine/0')).filter((event) => event.startsWith('wants-'));
    expect(ours).toEqual([
      'wants-relation-created app=theirs',
      'wants-relation-joined unit=theirs/0 app=theirs',
      'wants-relation-changed unit=theirs/0 app=theirs',
    ]);
    await seen(offering, 'theirs/0', /^serves-relation-changed app=/);
    const [first, ...others] = (await offering.events('theirs/0')).filter((event) =>
      event.startsWith('serves-'),
    );
    expect(first).toBe(`serves-relation-created app=${remote}`);
    // A unit is in scope before its hook has written anything, so that either may come first.
    expect(new Set(others)).toEqual(
      new Set([
        `serves-relation-changed app=${remote}`,
        `serves-relation-joined unit=${remote}/0 app=${remote}`,
        `serves-relation-changed unit=${remote}/0 app=${remote}`,
      ]),
    );
    expect((await consuming.exec('mine/0', 'relation-get -r 1 url theirs/0')).stdout).toBe(
      'here\n',
    );
    const { stdout } = await offering.exec(
      'theirs/0',
      `relation-get -r 1 colour ${remote}/0; relation-get -r 1 --app shape ${remote}`,
    );
    expect(stdout).toBe('blue\nround\n');
  });

  test('lets a unit that is removed depart, and a new one join', async () => {
    const { remote } = await related();
    await consuming.call('add-unit', { application: 'mine' });
    await seen(offering, 'theirs/0', new RegExp(`^serves-relation-joined unit=${remote}/1 `));
    await consuming.call('remove-unit', { units: ['mine/0'] });
    const event = await seen(offering, 'theirs/0', /^serves-relation-departed/);
    expect(event).toBe(
      `serves-relation-departed unit=${remote}/0 app=${remote} departing=${remote}/0`,
    );
  });

  test.each([
    ['consuming', () => consuming],
    ['offering', () => offering],
  ])('is removed from the %s side', async (_, model) => {
    const { remote } = await related();
    await model().call('remove-relation', { id: 1 });
    await gone(consuming);
    await gone(offering);
    expect(leavings(await consuming.events('mine/0'))).toEqual([
      'wants-relation-departed unit=theirs/0 app=theirs departing=theirs/0',
      'wants-relation-broken app=theirs',
    ]);
    expect(leavings(await offering.events('theirs/0'))).toEqual([
      `serves-relation-departed unit=${remote}/0 app=${remote} departing=${remote}/0`,
      `serves-relation-broken app=${remote}`,
    ]);
    expect((await offering.call('offers', {}))[0]?.connections).toEqual([]);
    // The offer is still consumed, and may be related to again.
    await consuming.call('integrate', { endpoints: ['mine', 'theirs'] });
    await consuming.waitFor('theirs/0 to join again', async () =>
      (await consuming.events('mine/0')).slice(-1)[0]?.startsWith('wants-relation-changed'),
    );
  });

  test('survives kill -9 of either daemon: what changed meanwhile comes over', async () => {
    const { remote } = await related();
    await offering.killDaemon();
    await consuming.exec('mine/0', 'relation-set -r 1 colour=green');
    await offering.restartDaemon();
    await offering.waitFor('the data of the other side', async () => {
      const { stdout } = await offering.exec('theirs/0', `relation-get -r 1 colour ${remote}/0`);
      return stdout === 'green\n';
    });
    await consuming.killDaemon();
    await offering.exec('theirs/0', 'relation-set -r 1 url=there');
    await consuming.restartDaemon();
    await consuming.waitFor('the data of the other side', async () => {
      const { stdout } = await consuming.exec('mine/0', 'relation-get -r 1 url theirs/0');
      return stdout === 'there\n';
    });
    expect(leavings(await consuming.events('mine/0'))).toEqual([]);
    expect(leavings(await offering.events('theirs/0'))).toEqual([]);
  });

  test('is suspended and resumed by the offering side', async () => {
    const { remote } = await related();
    await expect(
      consuming.call('suspend-relation', { relation: 1, suspended: true }),
    ).rejects.toThrow(
      'cannot set suspend status for "mine:wants theirs:serves" which is not associated with an offer',
    );
    await offering.call('suspend-relation', { relation: 1, suspended: true, reason: 'not now' });
    await seen(consuming, 'mine/0', /^wants-relation-broken/);
    await seen(offering, 'theirs/0', /^serves-relation-broken/);
    await offering.waitFor('the relation to be suspended', async () => {
      const [connection] = (await offering.call('offers', {}))[0]?.connections ?? [];
      return connection?.status === 'suspended' && connection.message === 'not now';
    });
    expect(await relationsOf(consuming)).toEqual(['theirs:serves']);
    await offering.call('suspend-relation', { relation: 1, suspended: false });
    await offering.waitFor(`${remote}/0 to join again`, async () =>
      (await offering.events('theirs/0')).at(-1)?.startsWith('serves-relation-changed unit='),
    );
  });
});

describe('the end of an offer', () => {
  test('is refused while it is used, and by force ends the relation', async () => {
    await related();
    await expect(offering.call('remove-offer', { name: 'theirs' })).rejects.toThrow(
      'cannot delete application offer "theirs": offer has 1 relation',
    );
    const [refused] = await offering.call('remove-application', { applications: ['theirs'] });
    expect(refused?.error).toBe(
      'cannot destroy application "theirs": application is used by 1 consumer',
    );
    await offering.call('remove-offer', { name: 'theirs', force: true });
    await gone(consuming);
    await gone(offering);
    expect(await saas()).toBe('terminated');
    await expect(consuming.call('integrate', { endpoints: ['mine', 'theirs'] })).rejects.toThrow(
      'cannot add relation "mine:wants theirs:serves": remote offer theirs is terminated',
    );
  });

  test('comes with its model', async () => {
    await related();
    await offering.killController();
    await gone(consuming);
    expect(await saas()).toBe('terminated');
    expect(leavings(await consuming.events('mine/0'))).toHaveLength(2);
    await consuming.call('remove-saas', { name: 'theirs' });
    expect(await saas()).toBeUndefined();
  });

  test('of consuming it, by remove-saas', async () => {
    await related();
    await consuming.call('remove-saas', { name: 'theirs' });
    await gone(offering);
    await consuming.waitFor('the application to be gone', async () => (await saas()) === undefined);
    expect(leavings(await offering.events('theirs/0'))).toHaveLength(2);
  });

  test('of the consuming model', async () => {
    const other = await consuming.addModel('third');
    try {
      await offering.deploy('theirs');
      await offering.call('offer', {
        application: 'theirs',
        endpoints: ['serves'],
        name: 'theirs',
      });
      await other.deploy('mine');
      await other.consume(offering, 'theirs');
      await other.call('integrate', { endpoints: ['mine', 'theirs'] });
      await seen(offering, 'theirs/0', /^serves-relation-joined/);
    } finally {
      await other.destroy();
    }
    await gone(offering);
    await offering.settle();
    expect(leavings(await offering.events('theirs/0'))).toHaveLength(2);
  });
});

describe('secrets', () => {
  const READ = `secret-get "$(relation-get -r 1 secret theirs/0)" word`;

  test('of the offering side are read, followed and withheld on the other', async () => {
    await related({
      mine: { 'secret-changed': `juju-log "told of $JUJU_SECRET_ID"` },
    });
    const { modelUuid } = await offering.call('ping', {});
    await offering.exec(
      'theirs/0',
      'id=$(secret-add --label shared word=one); secret-grant -r 1 "$id"; relation-set -r 1 secret="$id"',
    );
    const read = async (flags = '') => (await consuming.exec('mine/0', `${READ} ${flags}`)).stdout;
    await consuming.waitFor('the secret to be readable', async () => (await read()) === 'one\n');
    expect((await consuming.call('secrets', {})).map(({ owner }) => owner)).toEqual([]);
    await offering.exec(
      'theirs/0',
      'secret-set "$(secret-info-get --label shared | cut -d: -f1 | head -n 1)" word=two',
    );
    const told = new RegExp(`told of secret://${modelUuid}/[0-9a-v]{20}`);
    await consuming.waitFor('mine/0 to be told of the secret', async () =>
      (await consuming.log()).some(({ message }) => told.test(message)),
    );
    expect(await read()).toBe('one\n');
    expect(await read('--refresh')).toBe('two\n');
    // Nobody reads the first revision any more, of which its owner is told.
    await seen(offering, 'theirs/0', /^secret-remove/);
    await offering.exec(
      'theirs/0',
      'secret-revoke -r 1 "$(secret-info-get --label shared | cut -d: -f1 | head -n 1)"',
    );
    await consuming.waitFor('the secret to be withheld', async () => {
      const { stderr } = await consuming.exec('mine/0', READ);
      return stderr === 'ERROR permission denied\n';
    });
  });

  test('of the consuming side cannot be granted: the hook fails when it is committed', async () => {
    await related();
    await consuming.call('model-config', { values: { 'automatically-retry-hooks': false } });
    await consuming.setScript(
      'mine/0',
      'config-changed',
      'secret-grant -r 1 "$(secret-add word=one)"',
    );
    await consuming.call('set-config', { application: 'mine', values: { greeting: 'go' } });
    await consuming.waitFor('the hook to fail', async () => {
      const unit = await consuming.unit('mine/0');
      return unit?.workload.message === 'hook failed: "config-changed"';
    });
    expect((await consuming.log()).map(({ message }) => message)).toContain(
      'hook "config-changed" failed: committing requested changes failed: sharing consumer secrets across a cross model relation not supported',
    );
    expect(await consuming.call('secrets', {})).toEqual([]);
  });
});
