import { describe, expect, test } from '@jest/globals';
import { workerEnvironment } from '../../../lib/backup-runner/worker-environment.ts';

describe('the environment of a worker', () => {
  test('holds the tools, the unit and the proxies, and nothing of the hook', () => {
    const environment = workerEnvironment({
      PATH: '/var/lib/juju/tools/unit-db-0:/usr/bin',
      JUJU_UNIT_NAME: 'db/0',
      JUJU_CHARM_DIR: '/charm',
      JUJU_CONTEXT_ID: 'db/0-start-1',
      JUJU_AGENT_SOCKET_ADDRESS: '@agent',
      JUJU_CHARM_HTTPS_PROXY: 'http://proxy:3128',
      JUJU_CHARM_HTTP_PROXY: '',
      HOME: '/root',
      NODE_COMPILE_CACHE: '/charm/.compile-cache',
    });
    expect(environment).toEqual({
      PATH: '/var/lib/juju/tools/unit-db-0:/usr/bin',
      LANG: 'C.UTF-8',
      LC_ALL: 'C.UTF-8',
      MALLOC_ARENA_MAX: '2',
      JUJU_UNIT_NAME: 'db/0',
      JUJU_CHARM_DIR: '/charm',
      NODE_COMPILE_CACHE: '/charm/.compile-cache',
      https_proxy: 'http://proxy:3128',
      HTTPS_PROXY: 'http://proxy:3128',
    });
  });
});
