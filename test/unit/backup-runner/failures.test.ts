import { describe, expect, test } from '@jest/globals';
import { HintError } from '#system';
import { failureOf, RecoveryNeededError } from '../../../lib/backup-runner/failures.ts';

const same = (text: string): string => text;

describe('a failure for people', () => {
  test('keeps code and hint of an expected error', () => {
    const error = new HintError('cannot back up: down', {
      code: 'database-down',
      hint: 'start it',
    });
    expect(failureOf(error, same)).toEqual({
      code: 'database-down',
      message: 'cannot back up: down',
      hint: 'start it',
    });
  });

  test('names system errors by their code and others as internal', () => {
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    expect(failureOf(full, same).code).toBe('enospc');
    expect(failureOf(new TypeError('x is undefined'), same).code).toBe('internal-error');
    expect(failureOf('thrown text', same)).toEqual({
      code: 'internal-error',
      message: 'thrown text',
    });
  });

  test('tells what failed first, not what failed while cleaning up', () => {
    const first = new HintError('first', { code: 'first' });
    const error = new SuppressedError(new Error('second'), new RecoveryNeededError(first));
    expect(failureOf(error, same).code).toBe('first');
  });

  test('is one line of bounded length without secrets', () => {
    const error = new Error(`a secret\n  in two lines ${'x'.repeat(5000)}`);
    const { message } = failureOf(error, (text) => text.replaceAll('secret', '***'));
    expect(message).toMatch(/^a \*\*\* in two lines x+…$/);
    expect(message.length).toBeLessThan(1600);
  });
});
