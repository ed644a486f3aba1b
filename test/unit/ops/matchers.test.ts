import { describe, test } from '@jest/globals';
import { ActiveStatus, BlockedStatus, WaitingStatus } from '#ops';
import { peerRelation, relation, secret, state } from '#ops/testing';
import { expect } from '../../helpers/ops-matchers.ts';
import { probe } from '../../helpers/probe-charm.ts';

const db = relation({
  endpoint: 'database',
  localUnitData: { a: '1', b: '2' },
  localAppData: { mine: 'app' },
  remoteAppData: { theirs: 'app' },
  remoteUnits: { 3: { theirs: 'unit' } },
});
const given = state({
  unitStatus: new BlockedStatus('set "title"'),
  appStatus: new ActiveStatus(),
  workloadVersion: '15.6',
  openedPorts: ['80/tcp', '443/tcp'],
  relations: [db, peerRelation({ endpoint: 'cluster', peers: { 1: { vote: 'yes' } } })],
  secrets: [secret({ content: { password: 'x' }, label: 'admin' })],
});

function messageOf(check: () => void): string {
  try {
    check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('the matcher passed');
}

describe('statuses', () => {
  test('are compared by name, and by message when there is one', () => {
    expect(given).toHaveUnitStatus('blocked');
    expect(given).toHaveUnitStatus('blocked', /title/);
    expect(given).toHaveUnitStatus('blocked', expect.stringContaining('title'));
    expect(given).toHaveUnitStatus(new BlockedStatus('set "title"'));
    expect(given).toHaveAppStatus(new ActiveStatus());
    expect(given).not.toHaveUnitStatus('active');
    expect(given).not.toHaveUnitStatus('blocked', 'title');
    expect(given).not.toHaveUnitStatus(new BlockedStatus());
    expect(given).not.toHaveUnitStatus(new WaitingStatus('set "title"'));
  });

  test('say what was expected and what is', () => {
    expect(messageOf(() => expect(given).toHaveUnitStatus('active', 'up'))).toBe(
      'the status of the unit\nexpected: active: "up"\nis: blocked: set "title"',
    );
    expect(messageOf(() => expect(given).not.toHaveAppStatus('active'))).toBe(
      'the status of the application\nexpected: not active\nis: active',
    );
  });
});

describe('databags', () => {
  test('have the keys named, whatever else they have', () => {
    expect(given).toHaveDatabag(db, 'unit', { a: '1' });
    expect(given).toHaveDatabag('database', 'app', { mine: /^a/, other: undefined });
    expect(given).toHaveDatabag(db.id, 'remote-app', { theirs: 'app' });
    expect(given).toHaveDatabag(db, 3, { theirs: 'unit' });
    expect(given).toHaveDatabag('cluster', 1, { vote: 'yes' });
    expect(given).not.toHaveDatabag(db, 'unit', { a: '1', c: '3' });
    expect(given).not.toHaveDatabag(db, 'unit', { a: undefined });
    expect(given).not.toHaveDatabag(db, 4, { theirs: 'unit' });
  });

  test('say which keys differ', () => {
    expect(messageOf(() => expect(given).toHaveDatabag(db, 'unit', { a: '9', c: 'x' }))).toBe(
      `data of unit in relation database:${db.id}\n` +
        'expected: \n  a: "9"\n  c: "x"\nis: \n  a: "1"\n  c: "(absent)"\n  and keys b',
    );
  });

  test('need one relation', () => {
    expect(() => expect(given).toHaveDatabag('cache', 'unit', {})).toThrow(
      'the state has 0 relations of endpoint "cache"',
    );
  });
});

test('ports, version and secrets', () => {
  expect(given).toHaveOpenedPorts('80/tcp', '443/tcp');
  expect(given).not.toHaveOpenedPorts('80/tcp');
  expect(given).toHaveWorkloadVersion(/^15\./);
  expect(given).not.toHaveWorkloadVersion('15');
  expect(given).toHaveSecret('admin');
  expect(given).toHaveSecret('admin', { password: 'x' });
  expect(given).not.toHaveSecret('admin', { password: 'y' });
  expect(given).not.toHaveSecret('root');
});

test('the log and the failure of an action', async () => {
  const context = probe((charm, framework) => {
    framework.observe(charm.on.action('greet'), (event) => {
      charm.log.warning('nobody there');
      event.fail('there is nobody to greet');
    });
  });
  await context.run(context.on.action('greet'), state());
  expect(context).toHaveLogged('WARNING', 'nobody there');
  expect(context).not.toHaveLogged('INFO', 'nobody there');
  expect(context).toHaveActionFailure();
  expect(context).toHaveActionFailure(/nobody/);
  expect(context).not.toHaveActionFailure('nobody');
  await context.run(context.on.updateStatus(), state());
  expect(context).not.toHaveActionFailure();
});

test('what is no state or context is refused, also when negated', () => {
  expect(() => expect({}).not.toHaveUnitStatus('active')).toThrow('needs a State');
  expect(() => expect(given).not.toHaveLogged('INFO', '')).toThrow('needs a Context');
});
