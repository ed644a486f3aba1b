import { describe, expect, test } from '@jest/globals';
import type { ShowUnitResult } from '../../../lib/sandbox/api.ts';
import { runFake } from './fake-session.ts';

const UNIT: ShowUnitResult = {
  name: 'wordpress/0',
  workloadVersion: '666',
  machine: '0',
  openedPorts: ['100-102/tcp'],
  publicAddress: '10.0.0.1',
  charm: 'local:wordpress-0',
  leader: true,
  life: 'alive',
  relations: [
    {
      id: 0,
      endpoint: 'db',
      relatedEndpoint: 'server',
      peer: false,
      applicationData: { jobs: '[{"job-id":1}]' },
      relatedUnits: {
        'mariadb/10': { inScope: true, data: {} },
        'mariadb/2': { inScope: true, data: { b: '2', a: 'x: y' } },
      },
    },
    {
      id: 1,
      endpoint: 'peers',
      relatedEndpoint: 'peers',
      peer: true,
      applicationData: {},
      localUnit: { inScope: true, data: { me: 'yes' } },
      relatedUnits: {},
    },
    {
      id: 2,
      endpoint: 'empty',
      relatedEndpoint: 'other',
      peer: false,
      applicationData: {},
      relatedUnits: {},
    },
  ],
};
const answers = { 'show-unit': () => UNIT };

describe('juju show-unit', () => {
  test('prints the document of Juju', async () => {
    const { out } = await runFake(['show-unit', 'wordpress/0'], answers);
    expect(out).toBe(`\
wordpress/0:
  workload-version: "666"
  machine: "0"
  opened-ports:
  - 100-102/tcp
  public-address: 10.0.0.1
  charm: local:wordpress-0
  leader: true
  life: alive
  relation-info:
  - relation-id: 0
    endpoint: db
    related-endpoint: server
    application-data:
      jobs: '[{"job-id":1}]'
    related-units:
      mariadb/2:
        in-scope: true
        data:
          a: 'x: y'
          b: "2"
      mariadb/10:
        in-scope: true
        data: {}
  - relation-id: 1
    endpoint: peers
    related-endpoint: peers
    application-data: {}
    local-unit:
      in-scope: true
      data:
        me: "yes"
`);
  });

  test('shows an endpoint without data when it is asked for', async () => {
    const { out } = await runFake(
      ['show-unit', 'wordpress/0', '--endpoint', 'empty', '--format', 'json'],
      answers,
    );
    expect(JSON.parse(out)).toMatchObject({
      'wordpress/0': { 'relation-info': [{ 'relation-id': 2, 'application-data': {} }] },
    });
  });

  test('leaves units out with --app, and others with --related-unit', async () => {
    const app = await runFake(['show-unit', 'wordpress/0', '--app'], answers);
    expect(app.out).not.toContain('mariadb');
    const one = await runFake(['show-unit', 'wordpress/0', '--related-unit', 'mariadb/2'], answers);
    expect(one.out).not.toContain('mariadb/10');
  });

  test.each([
    [[], 'an unit name must be supplied'],
    [['x'], 'unit name x not valid'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await runFake(['show-unit', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: `ERROR ${message}\n` });
  });
});
