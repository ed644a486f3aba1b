import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { dispatchesOf, readRecord } from '../../../lib/sandbox/record/read-record.ts';
import { Redactor } from '../../../lib/sandbox/record/redact.ts';

const HEADER = {
  format: 'juju-sandbox-record',
  version: 1,
  started: '2026-01-01T00:00:00.000Z',
  juju: '3.6.28',
  model: 'm',
};

function aRecord(...lines: readonly object[]): Buffer {
  return Buffer.from([HEADER, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

describe('what a record says of secrets', () => {
  test('names of keys, and nothing of contents', () => {
    const redactor = new Redactor();
    expect(redactor.args('secret-add', ['--label', 'x', 'user=anna', 'pass=a b=c'])).toEqual([
      '--label',
      'x',
      'user=[redacted]',
      'pass=[redacted]',
    ]);
    expect(redactor.stdin('secret-set', 'k: v')).toBe('[redacted]');
    expect(redactor.stdout('secret-get', 'abc\n')).toBe('[redacted]\n');
    expect(redactor.stdout('secret-get', 'user: anna\npass: 1\n')).toBe(
      'user: "[redacted]"\npass: "[redacted]"\n',
    );
    expect(redactor.stdout('secret-get', '{"user":"anna"}\n')).toBe('{"user":"[redacted]"}\n');
    expect(redactor.stdout('secret-get', '')).toBe('');
    expect(redactor.params('add-secret', { name: 'n', content: { a: 'b' } })).toEqual({
      name: 'n',
      content: '[redacted]',
    });
  });

  test('known contents are found anywhere: plain, in JSON, in base64', () => {
    const redactor = new Redactor();
    const value = 'line one\nline "two"';
    const encoded = Buffer.from(value).toString('base64');
    redactor.learn({
      revisions: [{ revision: 1, content: { k: encoded }, created: '', obsoleteTold: false }],
    });
    expect(redactor.scrub({ a: [`x${value}y`], b: encoded, c: JSON.stringify({ value }) })).toEqual(
      {
        a: ['x[redacted]y'],
        b: '[redacted]',
        c: '{"value":"[redacted]"}',
      },
    );
  });
});

describe('reading a record', () => {
  const start = { at: 1, type: 'dispatch', dispatch: 1, unit: 'a/0', name: 'start' };
  const other = { at: 2, type: 'dispatch', dispatch: 2, unit: 'b/0', name: 'start' };
  const tool = { at: 3, type: 'tool', dispatch: 1, command: 'is-leader' };

  test('gives each dispatch what it did, of one unit or of all', () => {
    const record = readRecord(aRecord(start, other, tool, { at: 4, type: 'end', dispatch: 1 }));
    expect(dispatchesOf(record)).toHaveLength(2);
    expect(dispatchesOf(record, 'a/0')).toEqual([
      { start, tools: [tool], end: { at: 4, type: 'end', dispatch: 1 } },
    ]);
    expect(dispatchesOf(record, 'b/0')[0]).not.toHaveProperty('end');
  });

  test('takes compressed ones and torn ones, and refuses others', () => {
    expect(readRecord(gzipSync(aRecord(start))).lines).toEqual([start]);
    expect(readRecord(Buffer.concat([aRecord(start), Buffer.from('{"at":9,"ty')])).lines).toEqual([
      start,
    ]);
    expect(() => readRecord(Buffer.from('{}\n'))).toThrow('not a record of a sandbox');
    const newer = Buffer.from(`${JSON.stringify({ ...HEADER, version: 2 })}\n`);
    expect(() => readRecord(newer)).toThrow('this record has version 2');
  });
});
