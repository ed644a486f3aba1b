import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFileExclusive, readFileIfExists, writeFileAtomic } from '#system';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atomic-file-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('writeFileAtomic', () => {
  test('replaces the content and leaves no temporary file', async () => {
    const path = join(folder, 'state.json');
    await writeFileAtomic(path, 'old');
    await writeFileAtomic(path, 'new');
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  test('makes files that only their owner may read, unless told otherwise', async () => {
    await writeFileAtomic(join(folder, 'private'), 'x');
    await writeFileAtomic(join(folder, 'public'), 'x', { mode: 0o644 });
    expect((await stat(join(folder, 'private'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'public'))).mode & 0o777).toBe(0o644);
  });

  test('gives the mode asked for also where the umask is a strict one', async () => {
    const before = process.umask(0o077);
    try {
      await writeFileAtomic(join(folder, 'public'), 'x', { mode: 0o644 });
      await createFileExclusive(join(folder, 'claim'), 'x', { mode: 0o640 });
    } finally {
      process.umask(before);
    }
    expect((await stat(join(folder, 'public'))).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'claim'))).mode & 0o777).toBe(0o640);
  });

  test('leaves nothing behind when the target cannot be replaced', async () => {
    await expect(writeFileAtomic(join(folder, 'missing', 'file'), 'x')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('createFileExclusive', () => {
  test('lets exactly one of many creators win, with its whole content', async () => {
    const path = join(folder, 'claim');
    const wins = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        (await createFileExclusive(path, `claim ${index}`)) ? index : undefined,
      ),
    );
    const winners = wins.filter((index) => index !== undefined);
    expect(winners).toHaveLength(1);
    expect(await readFile(path, 'utf8')).toBe(`claim ${winners[0]}`);
    expect(await readdir(folder)).toEqual(['claim']);
  });
});

test('readFileIfExists answers undefined for a file that is not there', async () => {
  expect(await readFileIfExists(join(folder, 'nothing'))).toBeUndefined();
});
