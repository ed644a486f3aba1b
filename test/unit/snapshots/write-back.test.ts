import type { FileHandle } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { WriteBack } from '../../../lib/snapshots/write-back.ts';

const MIB = 1024 * 1024;

/** A file whose flushes end when told. */
function aFile() {
  const flushes: PromiseWithResolvers<void>[] = [];
  const datasync = async (): Promise<void> => {
    const flush = Promise.withResolvers<void>();
    flushes.push(flush);
    await flush.promise;
  };
  return { handle: { datasync } as FileHandle, flushes };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('writing back', () => {
  test('begins once enough has been written, and again after as much more', async () => {
    const { handle, flushes } = aFile();
    const file = new WriteBack().begin(handle);
    file.written(31 * MIB);
    await turn();
    expect(flushes).toHaveLength(0);
    file.written(MIB);
    await turn();
    expect(flushes).toHaveLength(1);
    flushes[0]?.resolve();
    await turn();
    file.written(31 * MIB);
    await turn();
    expect(flushes).toHaveLength(1);
    file.written(MIB);
    await turn();
    expect(flushes).toHaveLength(2);
    flushes[1]?.resolve();
    await file.settled();
  });

  test('of several files one at a time; the others keep what they have', async () => {
    const [one, two] = [aFile(), aFile()];
    const all = new WriteBack();
    const [first, second] = [all.begin(one.handle), all.begin(two.handle)];
    first.written(32 * MIB);
    second.written(32 * MIB);
    await turn();
    expect([one.flushes.length, two.flushes.length]).toEqual([1, 0]);
    one.flushes[0]?.resolve();
    await turn();
    second.written(1);
    await turn();
    expect(two.flushes).toHaveLength(1);
  });

  test('what the disk refused is told when all has to be there', async () => {
    const { handle, flushes } = aFile();
    const file = new WriteBack().begin(handle);
    file.written(40 * MIB);
    await turn();
    flushes[0]?.reject(new Error('EIO'));
    file.written(40 * MIB);

    await expect(file.settled()).rejects.toThrow('EIO');
  });
});
