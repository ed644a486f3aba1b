import { expect, test } from '@jest/globals';
import {
  coarseAge,
  exactAge,
  parseDuration,
} from '../../../charms/backup-manager/src/durations.ts';

test.each([
  ['45s', 45],
  ['30m', 1800],
  ['12h', 43_200],
  ['30d', 2_592_000],
  ['4w', 2_419_200],
  ['1d 12H', 129_600],
])('%s is %s seconds', (text, seconds) => {
  expect(parseDuration('older-than', text)).toBe(seconds);
});

test.each(['', '30', 'd', '0d', '-1d', '1.5h', '3 days', '11000w', '30d!', '999999999999w'])(
  '%j is refused with the allowed form',
  (text) => {
    expect(() => parseDuration('older-than', text)).toThrow(
      /older-than must be a whole number above 0 and s, m, h, d or w, for example 30d/,
    );
  },
);

test.each([
  [0, 'under 1 h'],
  [-5, 'under 1 h'],
  [3_600_000, '1 h'],
  [47 * 3_600_000, '47 h'],
  [48 * 3_600_000, '2 d'],
])('%s ms ago is %s', (ms, text) => {
  expect(coarseAge(ms)).toBe(text);
});

test.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_599_999, '59 min'],
  [3_600_000, '1 h'],
  [48 * 3_600_000, '2 d'],
])('%s ms ago is %s for who has just asked', (ms, text) => {
  expect(exactAge(ms)).toBe(text);
});
