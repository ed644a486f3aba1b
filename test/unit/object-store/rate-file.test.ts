/** Rates told through a file to whoever runs already. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createRateLimiter, followRates, tellRates } from '#object-store';

let directory: string;
let path: string;
let now = 0;
const clock = {
  now: () => new Date(now),
  sleep: async (ms: number) => {
    now += ms;
  },
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rates-'));
  path = join(directory, 'rates.json');
  now = 0;
});

afterEach(async () => await rm(directory, { recursive: true, force: true }));

test('nothing is limited as long as nothing was told', () => {
  expect(followRates(path, clock)()).toEqual({});
});

test('what is told is followed a second later, also when it is taken back', async () => {
  const rates = followRates(path, clock);
  expect(rates()).toEqual({});
  await tellRates(path, { network: 100_000, disk: 200_000 });
  expect(rates()).toEqual({});
  now = 1000;
  expect(rates()).toEqual({ network: 100_000, disk: 200_000 });
  await tellRates(path, {});
  now = 2000;
  expect(rates()).toEqual({});
});

test('a clock that was set back does not make it deaf', async () => {
  now = 3_600_000;
  const rates = followRates(path, clock);
  expect(rates()).toEqual({});
  await tellRates(path, { disk: 9000 });
  now = 0;
  expect(rates()).toEqual({ disk: 9000 });
});

test('a file that cannot be read leaves the last rates in force', async () => {
  await tellRates(path, { disk: 9000 });
  const rates = followRates(path, clock);
  expect(rates()).toEqual({ disk: 9000 });
  await writeFile(path, '{"di');
  now = 1000;
  expect(rates()).toEqual({ disk: 9000 });
});

test('what is told already is not written again, and nobody else reads it', async () => {
  await tellRates(path, { disk: 9000 });
  const { ino, mode } = await stat(path);
  expect(mode & 0o777).toBe(0o600);
  await tellRates(path, { disk: 9000 });
  expect((await stat(path)).ino).toBe(ino);
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ disk: 9000 });
});

test('a limiter goes by them from one piece to the next', async () => {
  await tellRates(path, { disk: 100_000 });
  const rates = followRates(path, clock);
  const limiter = createRateLimiter({ bytesPerSecond: () => rates().disk, clock });
  for (let piece = 0; piece < 10; piece += 1) {
    await limiter.take(100_000, undefined);
  }
  // A second's worth was at hand, and what is owed is waited for by whoever comes next.
  expect(now).toBe(8000);
  await tellRates(path, {});
  now += 1000;
  for (let piece = 0; piece < 10; piece += 1) {
    await limiter.take(100_000, undefined);
  }
  expect(now).toBe(9000);
});
