import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  encodeHistory,
  encodeLastBackups,
  parseHistory,
  parseLastBackups,
} from '../../../charms/backup-manager/src/history.ts';
import { anEntry } from './makers.ts';

test('entries survive the databag', () => {
  const entries = [anEntry(), anEntry({ jobId: 'job-2', state: 'success', size: 5, unit: 'db/0' })];
  expect(parseHistory(encodeHistory(entries))).toEqual(entries);
});

test('of many finished entries the oldest go, and no unfinished one ever does', () => {
  const finished = Array.from({ length: 1005 }, (_, n) =>
    anEntry({ jobId: `done-${n}`, state: 'success' }),
  );
  const kept = parseHistory(encodeHistory([anEntry({ jobId: 'open' }), ...finished]));
  expect(kept).toHaveLength(1001);
  expect(kept[0]?.jobId).toBe('open');
  expect(kept[1]?.jobId).toBe('done-5');
});

test('text that is no history is an empty one, and what is no entry is left out', () => {
  expect(parseHistory(undefined)).toEqual([]);
  expect(parseHistory('[')).toEqual([]);
  expect(parseHistory('{}')).toEqual([]);
  expect(parseHistory(JSON.stringify([null, 5, {}, anEntry()]))).toEqual([anEntry()]);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(Array.isArray(parseHistory(JSON.stringify(value)))).toBe(true);
    }),
  );
});

test('last backups survive the databag', () => {
  const last = new Map([[4, { relationId: 4, finishedAt: 'x' }]]);
  expect(parseLastBackups(encodeLastBackups(last))).toEqual(last);
  expect(parseLastBackups('[{"relationId":"4"}]').size).toBe(0);
});
