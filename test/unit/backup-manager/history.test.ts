import { expect, test } from '@jest/globals';
import {
  encodeHistory,
  encodeLastBackups,
  parseHistory,
  parseLastBackups,
} from '../../../charms/backup-manager/src/history.ts';
import * as fc from '../../helpers/fast-check.ts';
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

test('the bound is as configured, and long details are kept for the latest only', () => {
  const failed = Array.from({ length: 60 }, (_, n) =>
    anEntry({ jobId: `job-${n}`, state: 'error', logTail: ['line'], report: 'text' }),
  );
  expect(parseHistory(encodeHistory(failed, 10))).toHaveLength(10);
  const kept = parseHistory(encodeHistory(failed, 100));
  expect(kept.map(({ logTail }) => logTail !== undefined)).toEqual([
    ...Array.from({ length: 10 }, () => false),
    ...Array.from({ length: 50 }, () => true),
  ]);
});

test('what version 0.1 wrote is read', () => {
  const entry =
    '[{"jobId":"job-1","jobType":"backup","database":"db","relationId":4,"state":"success","requestedAt":"2026-11-21T02:00:00.000Z","artefactPath":"p/","unit":"db/0","size":7,"finishedAt":"2026-11-21T02:01:00.000Z"}]';
  expect(parseHistory(entry)).toMatchObject([{ jobId: 'job-1', artefactPath: 'p/', size: 7 }]);
  expect(
    parseLastBackups('[{"relationId":4,"finishedAt":"2026-11-21T02:01:00.000Z"}]').get(4),
  ).toEqual({ relationId: 4, finishedAt: '2026-11-21T02:01:00.000Z' });
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
