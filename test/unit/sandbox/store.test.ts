import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { TaskDocument } from '../../../lib/sandbox/model/documents.ts';
import { openStore, type Reader } from '../../../lib/sandbox/store/store.ts';
import { aUnit } from './planner-model.ts';

function aTask(id: string, unit: string): TaskDocument {
  return {
    id,
    unit,
    operation: '1',
    action: 'act',
    parameters: {},
    status: 'pending',
    results: {},
    log: [],
    enqueued: '2026-01-01T00:00:00.000Z',
  };
}

function pendingOf(reader: Reader, unit: string): readonly string[] {
  return reader.find('pending tasks of unit', unit).map(({ id }) => id);
}

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

  test('finds documents by an index, also those a transaction wrote, moved or removed', () => {
    const store = openStore(':memory:');
    store.transact((transaction) => {
      transaction.put('task', '2', aTask('2', 'a/0'));
      transaction.put('task', '3', aTask('3', 'a/0'));
    });
    expect(pendingOf(store, 'a/0')).toEqual(['2', '3']);
    store.transact((transaction) => {
      transaction.patch('task', '2', { status: 'completed' });
      transaction.put('task', '4', aTask('4', 'b/0'));
      expect(pendingOf(transaction, 'a/0')).toEqual(['3']);
      expect(pendingOf(transaction, 'b/0')).toEqual(['4']);
      transaction.remove('task', '3');
      expect(pendingOf(transaction, 'a/0')).toEqual([]);
      expect(pendingOf(store, 'a/0')).toEqual(['2', '3']);
    });
    expect(pendingOf(store, 'a/0')).toEqual([]);
    expect(pendingOf(store, 'b/0')).toEqual(['4']);
  });

  test('a commit for this process alone is found again like any other', () => {
    const directory = mkdtempSync(join(tmpdir(), 'store-'));
    const store = openStore(join(directory, 'a'));
    store.transact((transaction) => {
      transaction.put('unit', 'a/0', aUnit('a/0'));
    }, 'process');
    store.transact((transaction) => {
      transaction.put('unit', 'a/1', aUnit('a/1'));
    });
    store.close();
    const again = openStore(join(directory, 'a'));
    expect(again.all('unit')).toHaveLength(2);
    again.close();
    rmSync(directory, { recursive: true });
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
