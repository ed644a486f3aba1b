// The examples of lib/ops/testing/README.md, which readme.test.ts compares with this file.
import { describe, test } from '@jest/globals';
import {
  ActiveStatus,
  CharmBase,
  type Framework,
  type HookEvent,
  storedState,
  WaitingStatus,
} from '#ops';
import {
  Context,
  deliver,
  InconsistentStateError,
  network,
  peerRelation,
  relation,
  secret,
  state,
  storage,
  UncaughtCharmError,
} from '#ops/testing';
import { expect } from '../../helpers/ops-matchers.ts';

const meta = {
  name: 'keeper',
  provides: { vault: { interface: 'vault' } },
  peers: { keepers: { interface: 'keepers' } },
  storage: { data: { type: 'filesystem' } },
  resources: { tool: { type: 'file', filename: 'tool.bin' } },
  config: { options: { title: { type: 'string' } } },
  actions: { check: { params: { depth: { type: 'integer' } } } },
};

class KeeperCharm extends CharmBase {
  constructor(framework: Framework) {
    super(framework);
    framework.observe(this.on.storage('data').attached, ({ storage: data }) => {
      this.unit.status = new ActiveStatus(`keeps in ${data.location}`);
    });
    framework.observe(this.on.relation('vault').joined, () => this.#hand());
    framework.observe(this.on.relation('keepers').changed, () => this.#join());
    framework.observe(this.on.relation('keepers').created, () => {
      this.model.getRelation('keepers')?.data(this.unit).set('ready', 'yes');
    });
    framework.observe(this.on.action('check'), (event) => {
      if (this.model.storages('data').length === 0) {
        event.fail('there is nothing to check; attach a storage first');
        return;
      }
      event.log(`checking with ${this.model.resourcePath('tool')}`);
      event.setResults({ depth: event.params['depth'] === 2 ? 'deep' : 'shallow' });
    });
    framework.observe(this.on.custom('tide-turned'), () => this.unit.setPorts(8200));
  }

  #hand(): void {
    for (const vault of this.model.relations('vault')) {
      const address = this.unit.networkGet('vault').ingressAddress ?? '';
      const made = this.unit.addSecret({ password: 'open sesame' }, { label: `vault-${vault.id}` });
      made.grant(vault);
      vault.data(this.unit).update({ address, secret: made.id });
    }
  }

  #join(): void {
    const peers = this.model.getRelation('keepers');
    const ready = peers?.units.filter((unit) => peers.data(unit).get('ready') === 'yes') ?? [];
    this.unit.status =
      ready.length + 1 < this.app.plannedUnits()
        ? new WaitingStatus('for other units')
        : new ActiveStatus();
  }
}

const context = new Context(KeeperCharm, { meta });

test('a storage comes', async () => {
  const data = storage({ name: 'data', location: '/srv/keeper' });
  const out = await context.run(context.on.storageAttached(data), state({ storages: [data] }));

  expect(out).toHaveUnitStatus('active', 'keeps in /srv/keeper');
});

test('whoever joins is given a secret and an address', async () => {
  const vault = relation({ endpoint: 'vault', remoteApp: 'app' });
  const given = state({
    relations: [vault],
    networks: { vault: network({ bindAddress: '10.0.0.5', ingressAddress: '203.0.113.5' }) },
  });
  const out = await context.run(context.on.relationJoined(vault), given);

  expect(out).toHaveDatabag(vault, 'unit', { address: '203.0.113.5', secret: /^secret:/ });
  expect(out).toHaveSecret(`vault-${vault.id}`, { password: 'open sesame' });
  expect(out.secrets[0]?.grants).toEqual({ [vault.id]: ['app'] });
});

test('an action tells what it found, or what to do', async () => {
  const data = storage({ name: 'data' });
  const given = state({ storages: [data], resources: { tool: '/resources/tool.bin' } });
  await context.run(context.on.action('check', { depth: 2 }), given);
  expect(context.actionResults).toEqual({ depth: 'deep' });
  expect(context.actionLogs).toEqual(['checking with /resources/tool.bin']);

  await context.run(context.on.action('check'), state());
  expect(context).toHaveActionFailure(/attach a storage first/);
});

test('an event of its own', async () => {
  const out = await context.run(
    context.on.custom('tide-turned'),
    state({ openedPorts: ['80/tcp'] }),
  );

  expect(out).toHaveOpenedPorts('8200/tcp');
});

class PatientCharm extends CharmBase {
  readonly stored = storedState(this, 'stored', { tries: 0 });

  constructor(framework: Framework) {
    super(framework);
    framework.observe(this.on.start, this, 'onStart');
  }

  onStart(event: HookEvent): void {
    this.stored.tries += 1;
    if (this.app.plannedUnits() < 2) {
      event.defer();
    }
  }
}

test('start waits for the second unit', async () => {
  const patient = new Context(PatientCharm, { meta });
  const alone = await patient.run(patient.on.start(), state());
  expect(alone.deferred).toEqual([await patient.deferred(patient.on.start(), 'onStart')]);

  const out = await patient.run(patient.on.updateStatus(), alone.with({ plannedUnits: 2 }));
  expect(patient.emittedEvents.map(({ path, again }) => [path, again])).toEqual([
    ['charm/on/start', true],
    ['charm/on/update-status', false],
  ]);
  expect(out.deferred).toEqual([]);
  expect(out.getStoredState('stored').content).toEqual({ tries: 2 });
});

test('the second unit is ready when the first one is', async () => {
  const keepers = peerRelation({ endpoint: 'keepers', id: 1 });
  const given = state({ relations: [keepers], plannedUnits: 2 });
  const first = await context.run(context.on.relationCreated(keepers), given);

  const second = new Context(KeeperCharm, { meta, unitId: 1 });
  const seen = deliver({
    from: { unit: 'keeper/0', state: first },
    to: { unit: 'keeper/1', state: given },
  });
  const changed = second.on.relationChanged(seen.getRelation(keepers), { remoteUnit: 0 });
  const out = await second.run(changed, seen);

  expect(out).toHaveUnitStatus('active');
});

test('a related application reads the secret it was granted', async () => {
  const vault = relation({ endpoint: 'vault', id: 2, remoteApp: 'app' });
  const handed = await context.run(context.on.relationJoined(vault), state({ relations: [vault] }));

  const app = state({ relations: [relation({ endpoint: 'store', id: 2, remoteApp: 'keeper' })] });
  const seen = deliver({
    from: { unit: 'keeper/0', state: handed },
    to: { unit: 'app/0', state: app },
  });

  expect(seen).toHaveDatabag('store', 0, { secret: handed.secrets[0]?.id });
  expect(seen.secrets[0]).toMatchObject({
    owner: 'none',
    granted: true,
    trackedRevision: undefined,
  });
});

describe('what cannot be', () => {
  test('is refused with everything that is wrong', async () => {
    const given = state({
      config: { titel: 'x' },
      secrets: [secret({ content: { password: 'x' }, rotate: 'often' })],
    });

    await expect(context.run(context.on.start(), given)).rejects.toThrow(InconsistentStateError);
    await expect(context.run(context.on.start(), given)).rejects.toMatchObject({
      problems: [
        expect.stringContaining('config option "titel" is not declared'),
        expect.stringContaining('rotates "often": use one of never, hourly'),
      ],
    });
  });

  test('a charm that throws loses what Juju would drop', async () => {
    class FailingCharm extends KeeperCharm {
      constructor(framework: Framework) {
        super(framework);
        framework.observe(this.on.start, () => {
          this.unit.openPort(80);
          this.unit.status = new WaitingStatus('for the tide');
          throw new Error('no water');
        });
      }
    }
    const failing = new Context(FailingCharm, { meta });
    const failure: unknown = await failing
      .run(failing.on.start(), state())
      .catch((e: unknown) => e);

    expect(failure).toBeInstanceOf(UncaughtCharmError);
    if (failure instanceof UncaughtCharmError) {
      expect(failure.state).toHaveUnitStatus('waiting', 'for the tide');
      expect(failure.state).toHaveOpenedPorts();
    }
  });
});
