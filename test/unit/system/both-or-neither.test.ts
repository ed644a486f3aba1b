import { describe, expect, test } from '@jest/globals';
import { bothOrNeither } from '#system';

describe('both or neither', () => {
  test('gives both', async () => {
    const gives = bothOrNeither(Promise.resolve(1), Promise.resolve('two'));
    expect(await gives).toEqual([1, 'two']);
  });

  test.each(['left', 'right'])(
    'disposes of what the other gave when the %s one fails',
    async (side) => {
      const disposed: string[] = [];
      const thing = { [Symbol.asyncDispose]: async () => void disposed.push('thing') };
      const good = Promise.resolve(thing);
      const bad = Promise.reject(new Error('no'));
      const both = side === 'left' ? bothOrNeither(bad, good) : bothOrNeither(good, bad);

      await expect(both).rejects.toThrow('no');
      expect(disposed).toEqual(['thing']);
    },
  );

  test('waits for the slower one before it fails', async () => {
    const slow = Promise.withResolvers<AsyncDisposable>();
    let isDisposed = false;
    const both = bothOrNeither(Promise.reject(new Error('at once')), slow.promise);
    const settled = both.catch(() => isDisposed);
    slow.resolve({ [Symbol.asyncDispose]: async () => void (isDisposed = true) });

    expect(await settled).toBe(true);
  });

  test('where both fail, the first counts', async () => {
    const both = bothOrNeither(Promise.reject(new Error('one')), Promise.reject(new Error('two')));
    await expect(both).rejects.toThrow('one');
  });

  test('what cannot be disposed of is left', async () => {
    await expect(
      bothOrNeither(Promise.resolve(7), Promise.reject(new Error('no'))),
    ).rejects.toThrow('no');
  });
});
