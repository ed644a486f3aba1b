import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { createMemoryObjectStore, type ObjectStore } from '#object-store';
import { isSnapshotError, openSnapshot } from '#snapshots';
import { decodeManifest } from '../../../lib/snapshots/manifest.ts';
import * as fc from '../../helpers/fast-check.ts';
import {
  allKeys,
  aSnapshot,
  aTree,
  CHUNK_PREFIX,
  readAll,
  someBytes,
} from '../../helpers/snapshots.ts';

/** Opens, verifies and reads everything; the error, or undefined when all is well. */
async function check(store: ObjectStore, artefactPath: string): Promise<unknown> {
  try {
    const snapshot = await openSnapshot(store, artefactPath);
    await snapshot.verify();
    return undefined;
  } catch (error) {
    return error;
  }
}

function thrownBy(manifest: Buffer, artefactPath: string, key: string): unknown {
  try {
    return decodeManifest(manifest, artefactPath, key);
  } catch (error) {
    return error;
  }
}

async function damagedCopy(
  store: ObjectStore,
  damage: (copy: ObjectStore) => Promise<void>,
): Promise<ObjectStore> {
  const copy = createMemoryObjectStore();
  for (const key of await allKeys(store)) {
    await copy.put(key, await store.get(key));
  }
  await damage(copy);
  return copy;
}

const NAMED = { backup: true, object: true, hint: true };

/** What the error says of the damage. */
function namedBy(error: unknown, artefactPath: string, key: string) {
  const { message, hint } = isSnapshotError(error) ? error : { message: '', hint: undefined };
  return {
    backup: message.includes(artefactPath),
    object: message.includes(key),
    hint: hint !== undefined,
  };
}

/** The objects a snapshot consists of; started.json is no part of it. */
async function partsOf(store: ObjectStore): Promise<string[]> {
  return (await allKeys(store)).filter((key) => !key.endsWith('/started.json'));
}

describe('damage anywhere is found and named', () => {
  test('one flipped bit in any object', async () => {
    const { store, artefactPath } = await aSnapshot();
    for (const key of await partsOf(store)) {
      const { length } = await store.get(key);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: length - 1 }),
          fc.integer({ min: 0, max: 7 }),
          async (position, bit) => {
            const copy = await damagedCopy(store, async (it) => {
              const data = Buffer.from(await it.get(key));
              data[position] = (data[position] ?? 0) ^ (1 << bit);
              await it.put(key, data);
            });
            expect(namedBy(await check(copy, artefactPath), artefactPath, key)).toEqual(NAMED);
          },
        ),
        { numRuns: 20 },
      );
    }
  });

  test('each single bit of a manifest', async () => {
    const { store, artefactPath } = await aSnapshot();
    const key = `${artefactPath}manifest.json`;
    const sound = Buffer.from(await store.get(key));
    const unnoticed: number[] = [];
    for (let bit = 0; bit < sound.length * 8; bit += 1) {
      const data = Buffer.from(sound);
      data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const named = namedBy(thrownBy(data, artefactPath, key), artefactPath, key);
      if (!isDeepStrictEqual(named, NAMED)) {
        unnoticed.push(bit);
      }
    }
    expect(unnoticed).toEqual([]);
  });

  test('any object cut short', async () => {
    const { store, artefactPath } = await aSnapshot();
    for (const key of await partsOf(store)) {
      for (const kept of [0, 0.3, 0.99999]) {
        const copy = await damagedCopy(store, async (it) => {
          const data = await it.get(key);
          await it.put(key, data.subarray(0, Math.floor(data.length * kept)));
        });
        expect(namedBy(await check(copy, artefactPath), artefactPath, key)).toEqual(NAMED);
      }
    }
  });

  test('any object missing', async () => {
    const { store, artefactPath } = await aSnapshot();
    const parts = (await partsOf(store)).filter((key) => !key.endsWith('manifest.json'));
    expect(parts).toHaveLength(2);
    for (const key of parts) {
      const copy = await damagedCopy(store, async (it) => await it.delete([key]));
      expect(namedBy(await check(copy, artefactPath), artefactPath, key)).toEqual(NAMED);
    }
  });

  test('any two objects swapped', async () => {
    const entries = [{ kind: 'file' as const, path: 'f', content: someBytes(9_000_000, 1) }];
    const { store, artefactPath } = await aSnapshot({ entries });
    const parts = await partsOf(store);
    expect(parts).toHaveLength(4);
    for (const left of parts) {
      for (const right of parts.filter((key) => key > left)) {
        const copy = await damagedCopy(store, async (it) => {
          await it.put(left, await store.get(right));
          await it.put(right, await store.get(left));
        });
        const error = await check(copy, artefactPath);
        expect(isSnapshotError(error)).toBe(true);
      }
    }
  });

  test('reading one file refuses damaged bytes, and does not need undamaged ones elsewhere', async () => {
    const entries = [
      { kind: 'file' as const, path: 'one', content: someBytes(300_000, 1) },
      { kind: 'file' as const, path: 'two', content: someBytes(300_000, 2) },
    ];
    const { store, artefactPath } = await aSnapshot({ entries });
    const [pack = ''] = await allKeys(store, CHUNK_PREFIX);
    const data = Buffer.from(await store.get(pack));
    data[10] = 1 + (data[10] ?? 0);
    await store.put(pack, data);
    const snapshot = await openSnapshot(store, artefactPath);
    await expect(readAll(snapshot.read('one'))).rejects.toMatchObject({
      code: 'damaged',
      object: pack,
      artefactPath,
    });
    expect(Buffer.compare(await readAll(snapshot.read('two')), someBytes(300_000, 2))).toBe(0);
  });
});

describe('what is no backup is not opened', () => {
  test('nothing there', async () => {
    const store = createMemoryObjectStore();
    await expect(openSnapshot(store, 'no/such')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('a prefix above a backup, or with foreign objects', async () => {
    const { store } = await aSnapshot();
    await store.put('photos/cat.jpg', Buffer.from('cat'));
    for (const path of ['some/path', 'some/path/prod/db', 'photos']) {
      await expect(openSnapshot(store, path)).rejects.toMatchObject({ code: 'not-a-backup' });
    }
  });

  test('a half-written backup', async () => {
    const { store, artefactPath } = await aSnapshot();
    await store.delete([`${artefactPath}manifest.json`]);
    await expect(openSnapshot(store, artefactPath)).rejects.toMatchObject({ code: 'incomplete' });
  });

  test.each(['', 'hello', '{}', '[]', 'null', '{"format":"docker"}'])(
    'a foreign manifest.json: %j',
    async (content) => {
      const store = createMemoryObjectStore();
      await store.put('x/manifest.json', Buffer.from(content));
      await expect(openSnapshot(store, 'x')).rejects.toMatchObject({ code: 'not-a-backup' });
    },
  );

  test.each([
    ['a higher version', '"version": 1,', '"version": 2,', 'format version 2'],
    ['an unknown feature', '"pages"\n  ],', '"pages", "another-cipher"\n  ],', 'another-cipher'],
  ])('a newer format: %s', async (_, from, to, named) => {
    const { store, artefactPath } = await aSnapshot();
    const key = `${artefactPath}manifest.json`;
    const text = Buffer.from(await store.get(key)).toString('utf8');
    expect(text).toContain(from);
    const content = text.slice(0, -83).replace(from, to);
    const seal = createHash('sha256').update(content).digest('hex');
    await store.put(key, Buffer.from(`${content},\n  "sha256": "${seal}"\n}\n`));
    const opened = openSnapshot(store, artefactPath);
    await expect(opened).rejects.toMatchObject({ code: 'newer-format', object: key });
    await expect(opened).rejects.toThrow(named);
  });

  test('the undamaged snapshot of these tests is sound', async () => {
    const { store, artefactPath } = await aSnapshot({ entries: aTree() });
    expect(await check(store, artefactPath)).toBeUndefined();
  });
});
