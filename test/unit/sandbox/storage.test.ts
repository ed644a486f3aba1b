/** What a charm may ask of storage, what people may write, and when a unit hears of it. */
import { describe, expect, test } from '@jest/globals';
import { parseMetadata } from '../../../lib/sandbox/charm-archive/metadata.ts';
import { humanSize } from '../../../lib/sandbox/cli/storage/tables.ts';
import { locationOf } from '../../../lib/sandbox/model/storage.ts';
import { storageConstraints } from '../../../lib/sandbox/model/storage-constraints.ts';
import { parseSize, parseStorageDirectives } from '../../../lib/sandbox/model/storage-directive.ts';
import { PlannerModel } from './planner-model.ts';

const OPTIONAL = { valueRequired: false };

function charmWith(storage: Readonly<Record<string, unknown>>) {
  const document = { name: 'keep', summary: 's', description: 'd', storage };
  return {
    ...parseMetadata(JSON.parse(JSON.stringify(document))),
    options: {},
    actions: {},
  };
}

function aModel(): PlannerModel {
  const model = new PlannerModel();
  model.application('a', 1);
  return model;
}

function keep(model: PlannerModel, id: string, life: 'alive' | 'dying', told: boolean): void {
  model.store.transact((transaction) => {
    transaction.put('storage', id, {
      id,
      name: id.split('/', 1)[0] ?? '',
      pool: 'lxd',
      size: 1024,
      filesystem: '0',
      life: 'alive',
      since: '2026-01-01T00:00:00.000Z',
      attachment: {
        unit: 'a/0',
        machine: '0',
        location: `storage/${id}`,
        readOnly: false,
        life,
        told,
      },
    });
  });
}

/** Where a unit finds storage `data/3`. */
function placeOf(location: string, range?: string): string {
  const multiple = range === undefined ? {} : { multiple: { range } };
  const { storage } = charmWith({ data: { type: 'filesystem', location, ...multiple } });
  return storage['data'] === undefined ? '' : locationOf(storage['data'], 'data/3');
}

describe('storage in metadata.yaml', () => {
  test.each([
    [undefined, 1, 1],
    ['2', 2, 2],
    ['0-3', 0, 3],
    ['1+', 1, -1],
    ['2-', 2, -1],
  ])('multiple %s is from %d to %d', (range, countMin, countMax) => {
    const multiple = range === undefined ? {} : { multiple: { range } };
    expect(charmWith({ data: { type: 'filesystem', ...multiple } }).storage['data']).toMatchObject({
      countMin,
      countMax,
      minimumSize: 0,
    });
  });

  test.each([
    [{}, 'charm "keep" storage "data": type must be specified'],
    [{ type: 'tape' }, 'metadata: storage.data.type: unexpected value "tape"'],
    [
      { type: 'block', location: '/x' },
      'charm "keep" storage "data": location may not be specified for "type: block"',
    ],
    [
      { type: 'filesystem', location: '/var/lib/juju/storage/x' },
      'invalid location "/var/lib/juju/storage/x": must not fall within "/var/lib/juju/storage"',
    ],
    [
      { type: 'filesystem', multiple: { range: '0' } },
      'charm "keep" storage "data": invalid maximum count 0',
    ],
    [{ type: 'filesystem', multiple: { range: 'x' } }, 'metadata: storage.data.multiple.range'],
    [{ type: 'filesystem', 'minimum-size': 'big' }, 'metadata: storage.data.minimum-size'],
  ])('%j is refused', (store, message) => {
    expect(() => charmWith({ data: store })).toThrow(message);
  });
});

describe('storage directives', () => {
  test('are pool, count and size in any order, with a count of one unless told', () => {
    expect(parseStorageDirectives(['a=lxd,3,10G', 'b=1.5G', 'c', 'd=2,rootfs'], OPTIONAL)).toEqual({
      a: { pool: 'lxd', count: 3, size: 10_240 },
      b: { count: 1, size: 1536 },
      c: { count: 1 },
      d: { pool: 'rootfs', count: 2 },
    });
  });

  test.each([
    ['=1', 'expected "name=constraints" or "name", got "=1"'],
    ['a=1=2', 'expected "name=constraints" or "name", got "a=1=2"'],
    ['a=0', 'count must be greater than zero, got "0"'],
    ['a=-1', 'count must be greater than zero, got "-1"'],
    ['a=-1G', 'cannot parse size'],
    ['a=@', 'unrecognized storage constraint "@"'],
  ])('%s is refused', (arg, message) => {
    expect(() => parseStorageDirectives([arg], OPTIONAL)).toThrow(message);
  });

  test('sizes are whole mebibytes, rounded up', () => {
    expect(['512', '1G', '0.3M', '2T', 'x'].map(parseSize)).toEqual([
      512,
      1024,
      1,
      2_097_152,
      undefined,
    ]);
    expect([0, 1, 512, 1024, 1536, 10_240, 102_400].map(humanSize)).toEqual([
      '',
      '1.0 MiB',
      '512 MiB',
      '1.0 GiB',
      '1.5 GiB',
      '10 GiB',
      '100 GiB',
    ]);
  });
});

describe('what units get', () => {
  const charm = charmWith({
    data: { type: 'filesystem', 'minimum-size': '2G' },
    logs: { type: 'filesystem', multiple: { range: '0-2' } },
    disk: { type: 'block', multiple: { range: '0-' } },
  });

  test('rootfs and the least there may be, unless told', () => {
    expect(storageConstraints(charm, { logs: { count: 2 } }, {})).toEqual({
      data: { pool: 'rootfs', count: 1, size: 2048 },
      logs: { pool: 'rootfs', count: 2, size: 1024 },
      disk: { pool: 'rootfs', count: 0, size: 1024 },
    });
    const config = { 'storage-default-filesystem-source': 'lxd' };
    expect(storageConstraints(charm, { logs: { count: 1 } }, config)).toMatchObject({
      data: { pool: 'rootfs' },
      logs: { pool: 'lxd' },
    });
  });

  test.each([
    [{ none: { count: 1 } }, 'charm "keep" has no store called "none"'],
    [{ data: { count: 2 } }, 'charm "keep" store "data": storage is singular, 2 specified'],
    [
      { logs: { count: 3 } },
      'charm "keep" store "logs": at most 2 instances supported, 3 specified',
    ],
    [
      { data: { count: 1, size: 100 } },
      'charm "keep" store "data": minimum storage size is 2.0 GB, 100 MB specified',
    ],
    [{ logs: { count: 1, pool: 'nfs' } }, 'pool "nfs" not found'],
    [{ logs: { count: 1, pool: 'loop' } }, 'needs to mount'],
    [{ disk: { count: 1 } }, 'is a block device'],
  ])('%j is refused', (directives, message) => {
    expect(() => storageConstraints(charm, directives, {})).toThrow(message);
  });

  test('a place below the directory of the unit, whatever the charm asks for', () => {
    expect(placeOf('/srv/data')).toBe('root/srv/data');
    expect(placeOf('/srv/data/', '0-2')).toBe('root/srv/data/data/3');
    expect(placeOf('../../etc')).toBe('root/etc');
    expect(placeOf('')).toBe('storage/data/3');
  });
});

describe('a unit with storage', () => {
  test('hears of it before install, in order of the ids', () => {
    const model = aModel();
    keep(model, 'data/10', 'alive', false);
    keep(model, 'data/9', 'alive', false);
    expect(model.settle('a/0').slice(0, 3)).toEqual([
      'data-storage-attached',
      'data-storage-attached',
      'install',
    ]);
    expect(model.store.get('storage', 'data/9')?.attachment?.told).toBe(true);
  });

  test('does not hear of the end of what it has not heard of', () => {
    const model = aModel();
    keep(model, 'data/0', 'dying', false);
    expect(model.settle('a/0')).not.toContain('data-storage-detaching');
  });

  test('waits with storage while a hook is queued or has failed', () => {
    const model = aModel();
    model.settle('a/0');
    keep(model, 'data/0', 'alive', false);
    model.store.transact((transaction) => {
      transaction.patch('unit', 'a/0', {
        pending: {
          hook: { kind: 'lifecycle', name: 'config-changed', version: 1 },
          state: 'failed',
          failures: 1,
        },
      });
    });
    expect(model.plan('a/0')).toEqual({ kind: 'wait' });
    model.store.transact((transaction) => {
      transaction.patch('unit', 'a/0', { pending: undefined });
    });
    expect(model.settle('a/0')).toEqual(['data-storage-attached']);
  });

  test('detaches it before it stops', () => {
    const model = aModel();
    keep(model, 'data/0', 'alive', false);
    model.settle('a/0');
    keep(model, 'data/0', 'dying', true);
    model.store.transact((transaction) => {
      transaction.patch('unit', 'a/0', { life: 'dying' });
    });
    expect(model.settle('a/0')).toEqual(['data-storage-detaching', 'stop', 'remove']);
    expect(model.store.get('storage', 'data/0')).toMatchObject({ life: 'alive' });
    expect(model.store.get('storage', 'data/0')?.attachment).toBeUndefined();
  });
});
