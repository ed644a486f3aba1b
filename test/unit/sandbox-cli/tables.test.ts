import { describe, expect, test } from '@jest/globals';
import { formatTable } from '../../../lib/sandbox/cli/output/table.ts';
import {
  clockTimeWithZone,
  goTime,
  isoTime,
  statusTime,
} from '../../../lib/sandbox/cli/output/timestamp.ts';

describe('tables', () => {
  test('pad every cell but the last, also where the last is empty', () => {
    const table = formatTable(
      ['App', { title: 'Scale', align: 'right' }, 'Message'],
      [
        ['wordpress', '1', ''],
        ['db', '1/2', 'hello'],
      ],
    );
    expect(table).toBe('App        Scale  Message\nwordpress      1  \ndb           1/2  hello\n');
  });

  test('count letters, not bytes', () => {
    expect(formatTable(['A', 'B'], [['é€😀', 'x']])).toBe('A    B\né€😀  x\n');
  });
});

describe('moments', () => {
  const at = new Date('2024-01-02T15:04:05.678Z');
  test('are written as Juju writes them', () => {
    expect(clockTimeWithZone(at, { utc: true })).toBe('15:04:05Z');
    expect(statusTime(at, { utc: true })).toBe('2024-01-02 15:04:05Z');
    expect(goTime(at, { utc: true })).toBe('2024-01-02 15:04:05 +0000 UTC');
    expect(isoTime(at, { utc: true })).toBe('2024-01-02T15:04:05Z');
  });

  test('follow the zone of the machine unless UTC is asked for', () => {
    const offset = -at.getTimezoneOffset();
    const shifted = new Date(at.getTime() + offset * 60_000).toISOString();
    expect(statusTime(at, { utc: false })).toContain(shifted.slice(11, 19));
    expect(statusTime(at, { utc: false })).toMatch(/^0[123] Jan 2024 [\d:]{8}(?:Z|[-+]\d\d:\d\d)$/);
  });
});
