import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { projectRoot } from '#tooling';
import { newSandbox, type Sandbox } from './juju-process.ts';

const BUNDLE = `
name: two
default-base: ubuntu@22.04
applications:
  server:
    charm: ./charm
    num_units: 2
    to: ["7"]
    options: {greeting: hi}
    storage: {data: "1,10M"}
    resources: {motd: ./motd.txt}
    constraints: mem=2G
  client: {charm: ./charm, num_units: 1, to: [server/0], expose: true}
  beside: {charm: ./beside}
machines: {"7": }
relations:
- [client:wants, server:serves]
- [beside:host, client:juju-info]
`;

/** By the juju program, on a running sandbox. */
describe('a bundle of local charms', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = newSandbox();
    const charm = join(sandbox.folder, 'charm');
    cpSync(join(projectRoot, 'test', 'fixtures', 'charms', 'witness'), charm, { recursive: true });
    cpSync(charm, join(sandbox.folder, 'beside'), { recursive: true });
    writeFileSync(
      join(charm, 'metadata.yaml'),
      `name: witness
summary: s
description: d
provides: {serves: {interface: witness}}
requires: {wants: {interface: witness}}
storage: {data: {type: filesystem, multiple: {range: 0-}}}
resources: {motd: {type: file, filename: motd.txt}}
`,
    );
    writeFileSync(
      join(sandbox.folder, 'beside', 'metadata.yaml'),
      `name: beside
summary: s
description: d
subordinate: true
requires: {host: {interface: juju-info, scope: container}}
`,
    );
    writeFileSync(join(sandbox.folder, 'bundle.yaml'), BUNDLE);
    writeFileSync(join(sandbox.folder, 'motd.txt'), 'welcome\n');
    await sandbox.juju('bootstrap');
  }, 60_000);
  afterAll(async () => sandbox.end(), 60_000);

  test('is deployed with all it says', async () => {
    const { code, out, err } = await sandbox.juju('deploy ./bundle.yaml');
    expect({ code, err }).toEqual({
      code: 0,
      err: '  added resource motd\nDeploy of bundle completed.\n',
    });
    expect(out).toContain('- add unit client/0 to new machine 0 to satisfy [server/0]\n');
    for (const unit of ['server/0', 'server/1', 'client/0', 'beside/0']) {
      const query = 'workload-status!="error" && agent-status=="idle"';
      const waited = await sandbox.juju(['wait-for', 'unit', unit, '--query', query]);
      expect(waited).toMatchObject({ code: 0 });
    }
    const status = JSON.parse((await sandbox.juju('status --format json')).out);
    expect(status.applications.client).toMatchObject({
      exposed: true,
      base: { name: 'ubuntu', channel: '22.04' },
      units: { 'client/0': { machine: '0', subordinates: { 'beside/0': {} } } },
      relations: { wants: [{ 'related-application': 'server' }] },
    });
    expect(Object.keys(status.applications.server.units)).toEqual(['server/0', 'server/1']);
    expect(status.storage.storage['data/0']).toMatchObject({ kind: 'filesystem' });
    expect((await sandbox.juju('config server greeting')).out).toBe('hi\n');
    expect((await sandbox.juju('constraints server')).out).toBe('mem=2048M\n');
    const read = ['exec', '--unit', 'server/0', '--', 'cat $(resource-get motd)'];
    expect((await sandbox.juju(read)).out).toBe('welcome\n');
  }, 60_000);

  test('changes nothing when it is there, and adds what a later one has more', async () => {
    expect(await sandbox.juju('deploy ./bundle.yaml')).toEqual({
      code: 0,
      out: '',
      err: 'No changes to apply.\n',
    });
    writeFileSync(join(sandbox.folder, 'more.yaml'), 'applications: {client: {num_units: 2}}\n');
    const more = await sandbox.juju('deploy ./bundle.yaml --overlay more.yaml');
    expect(more).toMatchObject({
      code: 0,
      out: 'Executing changes:\n- add unit client/1 to new machine 2\n',
    });
  });

  test('stops at the first change that fails, naming it', async () => {
    writeFileSync(
      join(sandbox.folder, 'bad.yaml'),
      'applications: {x: {charm: ./charm, options: {nope: 1}}}\n',
    );
    expect(await sandbox.juju('deploy ./bad.yaml')).toMatchObject({
      code: 1,
      err: 'ERROR cannot deploy bundle: cannot deploy application "x": unknown option "nope"\n',
    });
  });
});
