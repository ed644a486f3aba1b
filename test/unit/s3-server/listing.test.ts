import { describe, expect, test } from '@jest/globals';
import { listPage } from '../../../lib/sandbox/s3-server/operations/list-page.ts';
import { compareKeys, KeyIndex } from '../../../lib/sandbox/s3-server/storage/key-index.ts';
import type { ObjectRecord } from '../../../lib/sandbox/s3-server/storage/object-file.ts';
import * as fc from '../../helpers/fast-check.ts';

function aRecord(key: string): ObjectRecord {
  return {
    key,
    size: 0,
    etag: 'e',
    modifiedAt: '2026-01-01T00:00:00.000Z',
    headers: {},
    storageClass: 'STANDARD',
  };
}

const someKey = fc
  .array(fc.constantFrom('a', 'b', '/', 'é', '\uffee', '\u{1f600}'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join(''));

/** What S3 says a list is, without pages: keys in byte order, folded behind the delimiter. */
function expectedEntries(keys: Iterable<string>, prefix: string, delimiter: string): string[] {
  const sorted = [...new Set(keys)].toSorted((left, right) =>
    Buffer.compare(Buffer.from(left), Buffer.from(right)),
  );
  const entries = sorted
    .filter((key) => key.startsWith(prefix))
    .map((key) => {
      const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      return end === -1 ? key : `prefix ${key.slice(0, end + delimiter.length)}`;
    });
  return [...new Set(entries)];
}

describe('the keys of a bucket', () => {
  test('are in the order of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(someKey, someKey, (left, right) => {
        const byBytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareKeys(left, right))).toBe(byBytes);
      }),
    );
  });

  test('stay in order while some are added and removed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(someKey, fc.boolean())), (changes) => {
        const index = new KeyIndex();
        const model = new Set<string>();
        for (const [key, isAdded] of changes) {
          if (isAdded) {
            index.set(aRecord(key));
            model.add(key);
          } else {
            index.delete(key);
            model.delete(key);
          }
        }
        expect(Array.from(index.walk(''), ({ key }) => key)).toEqual(
          [...model].toSorted(compareKeys),
        );
        expect(index.size).toBe(model.size);
      }),
    );
  });
});

describe('the pages of a list', () => {
  test('together hold every entry once, whatever their size, prefix and delimiter', () => {
    fc.assert(
      fc.property(
        fc.array(someKey),
        fc.constantFrom('', 'a', 'a/', '/', 'b', 'é'),
        fc.constantFrom('', '/', 'a', 'a/'),
        fc.integer({ min: 1, max: 4 }),
        (keys, prefix, delimiter, maxKeys) => {
          const index = new KeyIndex(keys.map(aRecord));
          const entries = [];
          let after: string | undefined = '';
          while (after !== undefined) {
            const page = listPage(index, { prefix, delimiter, after, maxKeys });
            const found = [
              ...page.contents.map(({ key }) => ({ name: key, entry: key })),
              ...page.commonPrefixes.map((name) => ({ name, entry: `prefix ${name}` })),
            ];
            expect(found.length).toBeLessThanOrEqual(maxKeys);
            entries.push(
              ...found
                .toSorted((left, right) => compareKeys(left.name, right.name))
                .map(({ entry }) => entry),
            );
            after = page.next;
          }
          expect(entries).toEqual(expectedEntries(keys, prefix, delimiter));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('begin behind the key they are told to', () => {
    const index = new KeyIndex(['a', 'b', 'c'].map(aRecord));
    const page = listPage(index, { prefix: '', delimiter: '', after: 'a', maxKeys: 10 });
    expect(page.contents.map(({ key }) => key)).toEqual(['b', 'c']);
  });

  test('begun within a folder still show the rest of it', () => {
    const index = new KeyIndex(['a/1', 'a/2', 'b'].map(aRecord));
    const page = listPage(index, { prefix: '', delimiter: '/', after: 'a/1', maxKeys: 10 });
    expect(page).toMatchObject({ commonPrefixes: ['a/'], contents: [{ key: 'b' }] });
  });

  test('of no keys at all are complete', () => {
    const index = new KeyIndex(['a'].map(aRecord));
    const page = listPage(index, { prefix: '', delimiter: '', after: '', maxKeys: 0 });
    expect(page).toEqual({ contents: [], commonPrefixes: [], next: undefined });
  });
});
