import { expect, test } from '@jest/globals';
import { describeError, formatBytes, formatDuration, HintError } from '#system';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [327_155_712, '312 MiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [400, '0.4 s'],
  [12_000, '12 s'],
  [59_700, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('%d ms read as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('an error is described in one line with its hint', () => {
  const error = new HintError('cannot reach S3', {
    code: 'unreachable',
    hint: 'check the endpoint',
  });
  expect(describeError(error)).toBe('cannot reach S3; check the endpoint');
  expect(describeError(new Error('two\n  lines'))).toBe('two lines');
  expect(describeError('text')).toBe('text');
});
