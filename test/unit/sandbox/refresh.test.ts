/** When units take a new charm, start after a reboot, and which charms are taken at all. */
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { replaceCharm } from '../../../lib/sandbox/agent/replace-charm.ts';
import { parseAssumes } from '../../../lib/sandbox/charm-archive/assumes.ts';
import { checkAssumes } from '../../../lib/sandbox/model/assumes.ts';
import type { UnitDocument } from '../../../lib/sandbox/model/documents.ts';
import { PlannerModel } from './planner-model.ts';

function settledModel(): PlannerModel {
  const model = new PlannerModel();
  model.application('a', 1);
  model.settle('a/0');
  return model;
}

function refresh(model: PlannerModel, forceCharm = false): void {
  model.store.transact((transaction) => {
    const { charmVersion = 0, configVersion } = transaction.require('application', 'a');
    transaction.patch('application', 'a', {
      charmVersion: charmVersion + 1,
      configVersion: configVersion + 1,
      forceCharm,
    });
  });
}

function patch(model: PlannerModel, changes: Partial<UnitDocument>): void {
  model.store.transact((transaction) => transaction.patch('unit', 'a/0', changes));
}

const FAILED = {
  hook: { kind: 'lifecycle', name: 'config-changed', version: 1 },
  state: 'failed',
  failures: 1,
} as const;

describe('a new charm', () => {
  test('comes once, then upgrade-charm, then config-changed once', () => {
    const model = settledModel();
    refresh(model);
    expect(model.settle('a/0')).toEqual(['(upgrade)', 'upgrade-charm', 'config-changed']);
  });

  test('comes after install, and not at all to a unit that dies', () => {
    const model = new PlannerModel();
    model.application('a', 1);
    refresh(model);
    expect(model.step('a/0')).toBe('install');
    model.settle('a/0');
    refresh(model);
    patch(model, { life: 'dying' });
    expect(model.settle('a/0')).toEqual(['stop', 'remove']);
  });

  test('waits for a failed hook, unless it is forced', () => {
    const model = settledModel();
    patch(model, { pending: FAILED });
    refresh(model);
    expect(model.plan('a/0')).toEqual({ kind: 'wait' });
    refresh(model, true);
    expect(model.plan('a/0')).toEqual({ kind: 'upgrade' });
  });

  test('half in place goes before everything', () => {
    const model = settledModel();
    patch(model, { upgrading: 'witness-0', pending: FAILED });
    expect(model.plan('a/0', { hasCommands: true })).toEqual({ kind: 'upgrade' });
  });
});

describe('after a reboot', () => {
  test('start comes first, but after a hook that is queued or has failed', () => {
    const model = settledModel();
    refresh(model);
    patch(model, { rebooted: true, pending: FAILED });
    expect(model.plan('a/0')).toEqual({ kind: 'wait' });
    patch(model, { pending: { ...FAILED, state: 'queued' } });
    expect(model.settle('a/0').slice(0, 3)).toEqual(['config-changed', 'start', '(upgrade)']);
    expect(model.settle('a/0')).toEqual([]);
  });
});

async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'replace-charm-'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

describe('the files of a charm', () => {
  test('are replaced, kinds and links too; what nobody shipped stays, twice in a row', async () => {
    const shipped = { 'lib/a': 'old', 'lib/gone': 'x', 'sub/deep/gone': 'x', kind: 'file' };
    const old = await tree(shipped);
    const after = await tree({ 'lib/a': 'new', 'kind/inside': 'now a directory' });
    await symlink('lib/a', join(after, 'link'));
    const directory = await tree({ ...shipped, 'lib/own': 'mine' });
    await replaceCharm(directory, { before: [old], after });
    await replaceCharm(directory, { before: [old], after });
    expect((await readdir(directory, { recursive: true })).toSorted()).toEqual([
      'kind',
      'kind/inside',
      'lib',
      'lib/a',
      'lib/own',
      'link',
    ]);
    expect(await readFile(join(directory, 'link'), 'utf8')).toBe('new');
    expect((await lstat(join(directory, 'link'))).isSymbolicLink()).toBe(true);
    await Promise.all(
      [old, after, directory].map(async (path) => rm(path, { recursive: true, force: true })),
    );
  });
});

describe('assumes', () => {
  test.each([
    { assumes: [] },
    { assumes: ['juju >= 3.6', 'juju < 4.0'] },
    { assumes: ['juju'] },
    { assumes: [{ 'any-of': ['k8s-api', { 'all-of': ['juju >= 3.1.5'] }] }] },
  ])('%j is met by 3.6.28', ({ assumes }) => {
    expect(() => {
      checkAssumes(parseAssumes(JSON.parse(JSON.stringify(assumes))), '3.6.28');
    }).not.toThrow();
  });

  test('names all that is missing', () => {
    const assumes = parseAssumes(['juju >= 4.0', { 'any-of': ['k8s-api', 'juju < 3.6.28'] }]);
    expect(() => {
      checkAssumes(assumes, '3.6.28');
    }).toThrow(
      [
        'Charm feature requirements cannot be met:',
        '  - charm requires feature "juju" (version >= 4.0) but model currently supports version 3.6.28',
        '  - charm requires at least one of the following:',
        '    - charm requires feature "k8s-api" but model does not support it',
        '    - charm requires feature "juju" (version < 3.6.28) but model currently supports version 3.6.28',
      ].join('\n'),
    );
  });

  test.each([
    { assumes: ['juju = 3'] },
    { assumes: [{ 'none-of': [] }] },
    { assumes: 'juju' },
    { assumes: [3] },
  ])('%j is refused', ({ assumes }) => {
    expect(() => parseAssumes(JSON.parse(JSON.stringify(assumes)))).toThrow('parsing "assumes"');
  });
});
