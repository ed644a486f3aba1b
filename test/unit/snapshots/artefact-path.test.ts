import { describe, expect, test } from '@jest/globals';
import {
  artefactPathFor,
  chunkPrefixFor,
  normaliseArtefactPath,
  parseArtefactPath,
} from '#snapshots';
import * as fc from '../../helpers/fast-check.ts';

const time = new Date('2026-11-21T02:03:04.567Z');
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 300 }),
  fc.constantFrom('', '.', '..', '../../etc/passwd', 'a/b', '$(reboot)', '\0', '\ud800', '%2e%2e'),
);

describe('artefact paths', () => {
  test('an ordinary job reads as one expects', () => {
    const job = { path: '/some//path/', model: 'prod', app: 'db', jobId: 'job-0192-ab', time };
    expect(artefactPathFor(job)).toBe('some/path/prod/db/backups/20261121T020304Z-job-0192-ab/');
    expect(chunkPrefixFor(job)).toBe('some/path/prod/db/chunks/');
    expect(chunkPrefixFor({ model: 'prod', app: 'db' })).toBe('prod/db/chunks/');
  });

  test('any job id gives one harmless path segment', () => {
    fc.assert(
      fc.property(hostile, (jobId) => {
        const path = artefactPathFor({ path: 'p', model: 'm', app: 'a', jobId, time });
        expect(path).toMatch(/^p\/m\/a\/backups\/20261121T020304Z-[A-Za-z0-9_.-]{1,130}\/$/);
      }),
    );
  });

  test('different job ids give different paths', () => {
    fc.assert(
      fc.property(hostile, hostile, (left, right) => {
        const paths = [left, right].map((jobId) =>
          artefactPathFor({ model: 'm', app: 'a', jobId, time }),
        );
        expect(paths[0] === paths[1]).toBe(left === right);
      }),
    );
  });

  test('what was put in comes out again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (jobId) => {
        const identity = { path: 'x/y', model: 'm.1', app: 'a_b', jobId, time };
        const parsed = parseArtefactPath(artefactPathFor(identity));
        const kept = encodeURIComponent(jobId).length < 100 ? { jobId } : {};
        expect(parsed).toMatchObject({ path: 'x/y', model: 'm.1', app: 'a_b', ...kept });
        expect(parsed?.time.toISOString()).toBe('2026-11-21T02:03:04.000Z');
      }),
    );
  });

  test('text that is no artefact path of ours is not taken apart', () => {
    for (const text of ['', 'a/b', 'm/a/backups/yesterday-job', 'm/a/other/20261121T020304Z-x/']) {
      expect(parseArtefactPath(text)).toBeUndefined();
    }
  });

  test('slashes around an artefact path do not matter', () => {
    for (const text of ['a/b', '/a/b', 'a/b/', ' //a/b// ']) {
      expect(normaliseArtefactPath(text)).toBe('a/b/');
    }
    for (const text of ['', '/', '  ', 'a\0b', '\ud800']) {
      expect(() => normaliseArtefactPath(text)).toThrow('as artefact path');
    }
  });
});
