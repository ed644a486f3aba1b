import { describe, expect, test } from '@jest/globals';
import type { Logger } from '#ops';
import { type Clock, HintError } from '#system';
import {
  type HealthOptions,
  StorageHealth,
} from '../../../charms/backup-manager/src/storage-health.ts';
import type { KeptProfile } from '../../../charms/backup-manager/src/storage-profile.ts';
import type { StorageSettings } from '../../../charms/backup-manager/src/storage-settings.ts';
import { FakeStorage } from './fake-storage.ts';
import { storageConfig } from './makers.ts';

const refused = new HintError('bucket "b": wrong credentials', {
  code: 'wrong-credentials',
  hint: 'check access-key',
});

function setUp() {
  const storage = new FakeStorage();
  const kept = new Map<string, string>();
  const lines: string[] = [];
  const log = {
    debug: () => undefined,
    info: (line: string) => lines.push(`INFO ${line}`),
    warning: (line: string) => lines.push(`WARNING ${line}`),
  } as unknown as Logger;
  let time = 0;
  let isTimeUp = false;
  const clock: Clock = {
    now: () => new Date(time),
    sleep: async () => await (isTimeUp ? Promise.resolve() : new Promise(() => undefined)),
  };
  let settings: StorageSettings = { config: storageConfig };
  const adopted: (KeptProfile | undefined)[] = [];
  const options: HealthOptions = {
    ports: { storage, clock },
    settings: () => settings,
    given: () => settings,
    adopt: (profile) => adopted.push(profile),
    databag: () => kept as unknown as ReturnType<HealthOptions['databag']>,
    log,
  };
  return {
    storage,
    lines,
    adopted,
    health: new StorageHealth(options),
    pass: (ms: number) => {
      time += ms;
    },
    expireDeadlines: () => {
      isTimeUp = true;
    },
    use: (next: StorageSettings) => {
      settings = next;
    },
  };
}

test('a bucket that works is no fault and nothing to log', async () => {
  const { health, lines } = setUp();
  expect(await health.check()).toBeUndefined();
  expect(health.fault()).toBeUndefined();
  expect(lines).toEqual([]);
});

test('a fault is remembered, logged once, and clears itself when the bucket works again', async () => {
  const { health, storage, lines } = setUp();
  storage.failure = refused;
  await health.check();
  await health.check();
  expect(health.fault()).toEqual({
    code: 'wrong-credentials',
    message: 'bucket "b": wrong credentials',
    hint: 'check access-key',
  });
  storage.failure = undefined;
  await health.check();
  expect(health.fault()).toBeUndefined();
  expect(lines).toEqual([
    'WARNING backups cannot be stored: bucket "b": wrong credentials; check access-key',
    'INFO the storage of the backups can be used again',
  ]);
});

test('events in quick succession do not each ask a broken bucket', async () => {
  const { health, storage, pass } = setUp();
  storage.failure = refused;
  await health.check();
  pass(5000);
  await health.recheck();
  expect(storage.keysSeen).toHaveLength(1);
  pass(30_000);
  await health.recheck();
  expect(storage.keysSeen).toHaveLength(2);
});

test('a healthy bucket is not asked again by a recheck', async () => {
  const { health, storage } = setUp();
  await health.recheck();
  expect(storage.keysSeen).toEqual([]);
});

test('a bucket that never answers is a fault when the deadline has passed', async () => {
  const { health, storage, expireDeadlines } = setUp();
  storage.isSilent = true;
  expireDeadlines();
  expect(await health.check()).toMatchObject({
    code: 'unreachable',
    message: 'S3 did not answer within 8 s',
  });
});

test('an error nobody foresaw is a fault too, not a crash', async () => {
  const { health, storage } = setUp();
  storage.failure = new TypeError('x is not\n a function') as unknown as HintError;
  expect(await health.check()).toMatchObject({
    code: 'storage-failed',
    message: 'the storage cannot be used: x is not a function',
  });
});

test('settings that are incomplete come first and replace what was remembered', async () => {
  const { health, storage, use } = setUp();
  storage.failure = refused;
  await health.check();
  const fault = { code: 'not-configured', message: 'bucket missing', hint: 'run: …' };
  use({ fault });
  expect(health.fault()).toEqual(fault);
  expect(await health.check()).toEqual(fault);
  use({ config: storageConfig });
  expect(health.fault()).toBeUndefined();
});

test('a unit that is not the leader any more forgets', async () => {
  const { health, storage } = setUp();
  storage.failure = refused;
  await health.check();
  health.forget();
  expect(health.fault()).toBeUndefined();
});

describe('a server that wants to be spoken to in another way', () => {
  const wrongRegion = new HintError('wrong region', { code: 'wrong-region', hint: 'set it' });

  test('is probed, and what works is adopted', async () => {
    const { health, storage, adopted, lines } = setUp();
    storage.failure = wrongRegion;
    const { profile } = storage.report;
    storage.report = { ...storage.report, usable: true, profile: { ...profile, region: 'eu' } };
    await health.adapt();
    expect(adopted).toMatchObject([{ region: 'eu' }]);
    expect(lines).toContain('INFO the storage works with region=eu, which is used from now on');
  });

  test('is not probed where that cannot help', async () => {
    const { health, storage, adopted } = setUp();
    storage.failure = new HintError('no', { code: 'access-denied', hint: 'allow it' });
    expect((await health.adapt())?.code).toBe('access-denied');
    expect(adopted).toEqual([]);
    expect(storage.keysSeen).toHaveLength(1);
  });

  test('and in no way works stays a fault', async () => {
    const { health, storage, adopted } = setUp();
    storage.failure = wrongRegion;
    expect((await health.adapt())?.code).toBe('wrong-region');
    expect(health.fault()?.code).toBe('wrong-region');
    expect(adopted).toEqual([]);
  });
});
