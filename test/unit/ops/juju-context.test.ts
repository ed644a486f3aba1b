import { describe, expect, test } from '@jest/globals';
import { parseJujuContext } from '#ops';

const ENVIRONMENT = {
  JUJU_UNIT_NAME: 'my-app/12',
  JUJU_CHARM_DIR: '/var/lib/juju/agents/unit-my-app-12/charm',
  JUJU_DISPATCH_PATH: 'hooks/db-relation-departed',
  JUJU_MODEL_NAME: 'prod',
  JUJU_MODEL_UUID: '6a3e',
  JUJU_VERSION: '3.6.28',
  JUJU_RELATION: 'db',
  JUJU_RELATION_ID: 'db:7',
  JUJU_REMOTE_APP: 'pg',
  JUJU_REMOTE_UNIT: '',
  JUJU_ACTION_NAME: '',
  JUJU_API_ADDRESSES: '10.0.0.1:17070 10.0.0.2:17070',
  JUJU_CHARM_HTTPS_PROXY: 'http://proxy:3128',
};

describe('the context of a dispatch', () => {
  test('is read from the environment; empty means absent', () => {
    const context = parseJujuContext(ENVIRONMENT);
    expect(context).toMatchObject({
      unitName: 'my-app/12',
      appName: 'my-app',
      relationName: 'db',
      relationId: 7,
      remoteApp: 'pg',
      remoteUnit: undefined,
      actionName: undefined,
      secretRevision: undefined,
      apiAddresses: ['10.0.0.1:17070', '10.0.0.2:17070'],
      proxies: { https: 'http://proxy:3128', http: undefined },
    });
  });

  test('is frozen', () => {
    const context = parseJujuContext(ENVIRONMENT);
    expect(Object.isFrozen(context)).toBe(true);
    expect(Object.isFrozen(context.apiAddresses)).toBe(true);
    expect(Object.isFrozen(context.proxies)).toBe(true);
  });

  test.each([
    ['JUJU_UNIT_NAME', ''],
    ['JUJU_UNIT_NAME', 'no-number'],
    ['JUJU_CHARM_DIR', ''],
    ['JUJU_RELATION_ID', 'db:x'],
    ['JUJU_SECRET_REVISION', '-1'],
  ])('%s=%j is refused by name', (name, value) => {
    expect(() => parseJujuContext({ ...ENVIRONMENT, [name]: value })).toThrow(
      expect.objectContaining({
        code: 'no-juju-environment',
        message: expect.stringContaining(name === 'JUJU_CHARM_DIR' ? 'CHARM_DIR' : name),
      }),
    );
  });
});
