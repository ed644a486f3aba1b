import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { KeptCopy } from '#engines';
import {
  condemnExpired,
  dropCopy,
  findCopy,
  keptCopies,
  settleOldData,
  takeCopy,
} from '../../../lib/engines/postgresql/kept-copies.ts';
import { minorMismatches, oldestFor } from '../../../lib/engines/postgresql/preflight.ts';
import {
  createJournal,
  type RestoreJournal,
  removeJournal,
  restorePaths,
} from '../../../lib/engines/postgresql/restore-journal.ts';

const THEN = '2026-11-22T10:00:00.000Z';
const hours = (count: number): Date => new Date(Date.parse(THEN) + count * 3_600_000);

describe('data kept from restores', () => {
  let root: string;
  let data: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'kept-'));
    data = join(root, 'data');
  });

  afterEach(async () => await rm(root, { recursive: true, force: true }));

  /** As after the exchange of a restore, with the old data in `before`. */
  async function exchanged(id: string, keepHours = 24, copy?: string): Promise<RestoreJournal> {
    const { before } = restorePaths(data, id);
    await mkdir(before);
    await writeFile(join(before, 'PG_VERSION'), '15\n');
    const intent = { name: `job-${id}`, keepHours, ...(copy === undefined ? {} : { copy }) };
    const journal = await createJournal(data, id, intent);
    await removeJournal(data);
    return { ...journal, phase: 'confirmed', confirmedAt: THEN };
  }

  test('are listed with the time they go at and the room they take', async () => {
    expect(await keptCopies(data)).toEqual([]);

    const copy = await settleOldData(data, await exchanged('a'));

    expect(copy).toEqual({
      name: 'job-a',
      keptAt: THEN,
      until: '2026-11-23T10:00:00.000Z',
      bytes: expect.any(Number),
    });
    expect(copy?.bytes).toBeGreaterThan(0);
    expect(await keptCopies(data)).toEqual([copy]);
  });

  test.each(['old-kept', 'recorded'] as const)(
    'are there once, however often the end of their restore is repeated from %s',
    async (step) => {
      const journal = await exchanged('a');
      const died = settleOldData(data, journal, async (at) => {
        if (at === step) {
          throw new Error('killed');
        }
      });
      await expect(died).rejects.toThrow('killed');

      await settleOldData(data, journal);
      await settleOldData(data, journal);

      expect((await keptCopies(data)).map(({ name }) => name)).toEqual(['job-a']);
      expect(await findCopy(data, 'job-a', false)).toMatchObject({ id: 'a', placedBy: [] });
    },
  );

  test('leave nothing behind where nothing is to be kept', async () => {
    await settleOldData(data, await exchanged('a', 0));

    expect(await readdir(root)).toEqual([]);
  });

  test('leave the way back to earlier ones open when their restore is undone', async () => {
    await settleOldData(data, await exchanged('a'));
    await settleOldData(data, await exchanged('b'));
    await expect(findCopy(data, 'job-a', false)).rejects.toMatchObject({ code: 'undo-superseded' });
    expect(await findCopy(data, 'job-a', true)).toMatchObject({ id: 'a' });

    await takeCopy(data, 'b', restorePaths(data, 'c').staged);
    await settleOldData(data, await exchanged('c', 24, 'b'));

    expect(await findCopy(data, 'job-a', false)).toMatchObject({ id: 'a' });
    expect(await findCopy(data, 'job-c', false)).toMatchObject({ id: 'c', placedBy: ['job-b'] });
    await expect(findCopy(data, 'job-b', true)).rejects.toMatchObject({ code: 'nothing-to-undo' });
  });

  test('go when their time is over, and not before', async () => {
    await settleOldData(data, await exchanged('a', 1));
    await settleOldData(data, await exchanged('b', 2));

    expect(await condemnExpired(data, hours(0.9), 24)).toEqual([]);
    expect(await condemnExpired(data, hours(1), 24)).toEqual([`${data}.dropped-a`]);
    expect((await keptCopies(data)).map(({ name }) => name)).toEqual(['job-b']);
    // What an earlier call took out of use and did not get to remove comes again.
    expect(await condemnExpired(data, hours(1), 0)).toHaveLength(2);
    expect(await keptCopies(data)).toEqual([]);
  });

  test('that somebody brings back are nobody else’s to drop, and the other way round', async () => {
    await settleOldData(data, await exchanged('a'));
    await takeCopy(data, 'a', restorePaths(data, 'u').staged);

    expect(await condemnExpired(data, hours(100), 0)).toEqual([]);
    await dropCopy(data, 'job-a');
    expect(await readdir(root)).toContain('data.staged-u');
    await expect(takeCopy(data, 'a', restorePaths(data, 'v').staged)).rejects.toMatchObject({
      code: 'nothing-to-undo',
    });
  });

  test.each(['', '7', '{"version":1}', '{"version":1,"placedBy":[],"copies":[{"id":"../x"}]}'])(
    'with a damaged record (%s) are reported, not guessed at',
    async (text) => {
      await writeFile(`${data}.kept.json`, text);

      await expect(keptCopies(data)).rejects.toMatchObject({ code: 'damaged-record' });
    },
  );
});

const copy = (name: string, bytes: number): KeptCopy => ({ name, bytes, keptAt: '', until: '' });

describe('room for a restore', () => {
  const copies = [copy('oldest', 10), copy('middle', 20), copy('newest', 30)];

  test.each([
    [-5, []],
    [0, []],
    [1, ['oldest']],
    [10, ['oldest']],
    [11, ['oldest', 'middle']],
    [1000, ['oldest', 'middle', 'newest']],
  ])('of %i bytes missing costs %j', (missing, dropped) => {
    expect(oldestFor(copies, missing).map(({ name }) => name)).toEqual(dropped);
  });
});

describe('minor versions', () => {
  test.each([
    ['15.20', '15.20', 0],
    ['15.4', '15.20', 0],
    ['15.20', '15.4', 1],
    ['17beta1', '17.1', 0],
  ])('a backup of %s for a server of %s', (backup, server, mismatches) => {
    expect(minorMismatches({ 'engine-version': backup }, server)).toHaveLength(mismatches);
  });
});
