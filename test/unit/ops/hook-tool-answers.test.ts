import { describe, expect, test } from '@jest/globals';
import { hookTools } from '#ops';
import { scripted } from '../../helpers/scripted-tools.ts';

describe('answers', () => {
  test('relation ids come as numbers, in order', () => {
    const { runner } = scripted({ stdout: '["db:10","db:9"]\n' });
    expect(hookTools.relationIds(runner, 'db')).toEqual([9, 10]);
  });

  test.each(['', 'null\n', '[]\n'])('nothing printed (%j) is an empty list', (stdout) => {
    expect(hookTools.secretIds(scripted({ stdout }).runner)).toEqual([]);
  });

  test('network addresses are found in what Juju prints', () => {
    const stdout =
      '{"bind-addresses":[{"mac-address":"00:16:3e:aa:bb:cc","interface-name":"eth0","addresses":[{"hostname":"","value":"10.0.0.5","cidr":"10.0.0.0/24"}]}],"egress-subnets":["10.0.0.5/32"],"ingress-addresses":["10.0.0.5"]}';
    expect(hookTools.networkGet(scripted({ stdout }).runner, 'db')).toEqual({
      bindAddresses: [
        {
          interfaceName: 'eth0',
          macAddress: '00:16:3e:aa:bb:cc',
          hostname: undefined,
          address: '10.0.0.5',
          cidr: '10.0.0.0/24',
        },
      ],
      ingressAddresses: ['10.0.0.5'],
      egressSubnets: ['10.0.0.5/32'],
    });
  });

  test('goals have a status and a time', () => {
    const stdout =
      '{"relations":{"db":{"pg":{"since":"2200-11-05 15:29:12Z","status":"joined"}}},"units":{"a/0":{"status":"active"}}}';
    expect(hookTools.goalState(scripted({ stdout }).runner)).toEqual({
      units: { 'a/0': { status: 'active', since: undefined } },
      relations: { db: { pg: { status: 'joined', since: '2200-11-05 15:29:12Z' } } },
    });
  });

  test('statuses come with their data, of an application with its units', () => {
    const one = { status: 'active', message: 'm', 'status-data': { 'relation-id': 3 } };
    const read = { status: 'active', message: 'm', data: { 'relation-id': 3 } };
    expect(hookTools.statusGet(scripted({ stdout: JSON.stringify(one) }).runner)).toEqual(read);
    const stdout = JSON.stringify({ 'application-status': { ...one, units: { 'a/0': one } } });
    expect(hookTools.applicationStatusGet(scripted({ stdout }).runner)).toEqual({
      ...read,
      units: { 'a/0': read },
    });
  });

  test('ports come with the endpoints they are opened for', () => {
    const { runner } = scripted({ stdout: '["icmp (*)","80/tcp (db, web)"]' });
    expect(hookTools.openedPortsByEndpoint(runner)).toEqual([
      { port: 'icmp', endpoints: undefined },
      { port: '80/tcp', endpoints: ['db', 'web'] },
    ]);
  });

  test('a cloud comes with the names of the SDK, and what is missing is absent', () => {
    const stdout =
      '{"type":"ec2","name":"aws","region":"","cacertificates":["PEM"],"is-controller-cloud":true,"credential":{"auth-type":"access-key","attrs":{"access-key":"AK"}}}';
    expect(hookTools.credentialGet(scripted({ stdout }).runner)).toEqual({
      type: 'ec2',
      name: 'aws',
      region: undefined,
      endpoint: undefined,
      identityEndpoint: undefined,
      storageEndpoint: undefined,
      credential: { authType: 'access-key', attributes: { 'access-key': 'AK' }, redacted: [] },
      caCertificates: ['PEM'],
      skipTlsVerify: false,
      isControllerCloud: true,
    });
  });

  test('who may read a secret is told', () => {
    const stdout =
      '{"abc":{"revision":2,"owner":"unit","access":[{"target":"application-pg","scope":"relation-7","role":"view"}]}}';
    expect(hookTools.secretInfoGet(scripted({ stdout }).runner, { label: 'x' })).toMatchObject({
      id: 'abc',
      revision: 2,
      owner: 'unit',
      access: [{ target: 'application-pg', scope: 'relation-7', role: 'view' }],
    });
  });

  test('the id of a new secret is what Juju prints, without the newline', () => {
    const { runner } = scripted({ stdout: 'secret://m/9m4e2mr0ui3e8a215n4g\n' });
    expect(hookTools.secretAdd(runner, { password: 'x' }, { owner: 'unit' })).toBe(
      'secret://m/9m4e2mr0ui3e8a215n4g',
    );
  });
});
