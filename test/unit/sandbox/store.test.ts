import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openStore } from '../../../lib/sandbox/store/store.ts';
import { aUnit } from './planner-model.ts';

describe('the model store', () => {
  test('keeps what was committed, and nothing of a transaction that threw', () => {
    const store = openStore(':memory:');
    store.transact((transaction) => {
      transaction.put('unit', 'a/0', aUnit('a/0'));
    });
    expect(() =>
      store.transact((transaction) => {
        transaction.put('unit', 'a/1', aUnit('a/1'));
        transaction.remove('unit', 'a/0');
        throw new Error('no');
      }),
    ).toThrow('no');

    expect(store.all('unit').map(({ name }) => name)).toEqual(['a/0']);
  });

  test('a transaction reads its own writes, whole kinds and partitions', () => {
    const store = openStore(':memory:');
    store.transact((transaction) => {
      transaction.put('unit', 'a/0', aUnit('a/0'));
      transaction.put('unit', 'b/0', aUnit('b/0'));
    });
    store.transact((transaction) => {
      transaction.patch('unit', 'a/0', { installed: true, workloadVersion: '1' });
      transaction.put('unit', 'a/1', aUnit('a/1'));
      transaction.remove('unit', 'b/0');
      expect(transaction.get('unit', 'a/0')?.installed).toBe(true);
      expect(
        transaction
          .within('unit', 'a')
          .map(({ name }) => name)
          .toSorted(),
      ).toEqual(['a/0', 'a/1']);
      expect(transaction.all('unit')).toHaveLength(2);
      transaction.patch('unit', 'a/0', { workloadVersion: undefined });
    });
    expect(store.get('unit', 'a/0')).toEqual({ ...aUnit('a/0'), installed: true });
  });

  test('tells of commits that wrote something, and refuses transactions inside others', () => {
    const store = openStore(':memory:');
    let commits = 0;
    store.onCommit(() => {
      commits += 1;
    });
    store.transact(() => undefined);
    store.transact((transaction) => {
      transaction.put('unit', 'a/0', aUnit('a/0'));
    });
    expect(commits).toBe(1);
    expect(() => store.transact(() => store.transact(() => undefined))).toThrow('inside another');
  });

  test('finds everything again in the files as they are right after a commit', () => {
    const directory = mkdtempSync(join(tmpdir(), 'store-'));
    try {
      const store = openStore(join(directory, 'a'));
      for (let number = 0; number < 20; number += 1) {
        store.transact((transaction) => {
          transaction.put('unit', `a/${number}`, aUnit(`a/${number}`));
        });
      }
      // What a kill -9 now would leave.
      for (const suffix of ['', '-wal']) {
        if (existsSync(join(directory, `a${suffix}`))) {
          copyFileSync(join(directory, `a${suffix}`), join(directory, `b${suffix}`));
        }
      }
      const found = openStore(join(directory, 'b'));
      expect(found.all('unit')).toHaveLength(20);
      found.close();
      store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('is open in one place at a time', () => {
    const directory = mkdtempSync(join(tmpdir(), 'store-'));
    const store = openStore(join(directory, 'a'));
    expect(() => openStore(join(directory, 'a'))).toThrow('locked');
    store.close();
    openStore(join(directory, 'a')).close();
    rmSync(directory, { recursive: true });
  });
});
