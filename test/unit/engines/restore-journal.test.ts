import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  advanceJournal,
  createJournal,
  isOwnedByAnother,
  journalPath,
  readJournal,
  removeJournal,
  restorePaths,
} from '../../../lib/engines/postgresql/restore-journal.ts';

describe('the journal of a restore', () => {
  let root: string;
  let data: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'journal-'));
    data = join(root, 'data');
  });

  afterEach(async () => await rm(root, { recursive: true, force: true }));

  test('is read back as it was written, phase by phase, and is gone at the end', async () => {
    const journal = await createJournal(data, 'abc123');
    expect(await readJournal(data)).toEqual(journal);

    const next = await advanceJournal(data, journal, 'swapping');
    expect(await readJournal(data)).toEqual({ ...next, phase: 'swapping', id: 'abc123' });

    await removeJournal(data);
    expect(await readJournal(data)).toBeUndefined();
    expect(await readdir(root)).toEqual([]);
  });

  test('keeps what the restore is to do with the old data, also when it changes hands', async () => {
    const intent = { name: 'job-1', keepHours: 24, copy: 'c0' };
    const journal = await createJournal(data, 'abc', intent);
    await advanceJournal(data, journal, 'confirmed', { confirmedAt: 'then', isLiveDropped: true });

    expect(await readJournal(data)).toMatchObject({
      ...intent,
      phase: 'confirmed',
      confirmedAt: 'then',
      isLiveDropped: true,
    });
  });

  test('admits one restore at a time', async () => {
    await createJournal(data, 'first');

    await expect(createJournal(data, 'second')).rejects.toMatchObject({
      code: 'restore-in-progress',
    });
    expect((await readJournal(data))?.id).toBe('first');
  });

  test.each([
    '',
    'null',
    '7',
    '[]',
    '{"version":2,"id":"a","phase":"staging","owner":{}}',
    '{"version":1,"id":"../a","phase":"staging","owner":{}}',
    '{"version":1,"id":"a","phase":"dancing","owner":{}}',
    '{"version":1,"id":"a","phase":"staging"}',
  ])('that is damaged (%s) is reported, not guessed at', async (text) => {
    await writeFile(journalPath(data), text);

    await expect(readJournal(data)).rejects.toMatchObject({ code: 'damaged-journal' });
  });

  test('belongs to a living process other than this one, or to nobody', async () => {
    const own = await createJournal(data, 'abc');
    const other = { ...own, owner: { ...own.owner, pid: process.ppid, startTicks: '1' } };

    expect(isOwnedByAnother(own)).toBe(false);
    // The parent lives, but with another start time than the journal says: the pid was reused.
    expect(isOwnedByAnother(other)).toBe(false);
  });

  test('names every directory beside the live one', () => {
    expect(restorePaths('/d/data', 'x1')).toEqual({
      live: '/d/data',
      staged: '/d/data.staged-x1',
      before: '/d/data.before-x1',
      failed: '/d/data.failed-x1',
      kept: '/d/data.kept-x1',
    });
  });
});
