import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { toJson } from '../../../lib/sandbox/cli/output/json.ts';
import { compareNaturally } from '../../../lib/sandbox/go-output/natural-sort.ts';
import { type OutputValue, sortKeys } from '../../../lib/sandbox/go-output/values.ts';
import { toYaml } from '../../../lib/sandbox/go-output/yaml.ts';
import * as fc from '../../helpers/fast-check.ts';

describe('YAML output', () => {
  test('has lists at the indentation of their key and omits what is undefined', () => {
    expect(
      toYaml({
        a: [1, 'x'],
        none: undefined,
        map: { b: [], c: {} },
        list: [{ d: 1, e: [2] }, ['f']],
      }),
    ).toBe('a:\n- 1\n- x\nmap:\n  b: []\n  c: {}\nlist:\n- d: 1\n  e:\n  - 2\n- - f\n');
  });

  test.each([
    ['2', '"2"'],
    ['true', '"true"'],
    ['no', '"no"'],
    ['', '""'],
    ['1.5e3', '"1.5e3"'],
    ['0x1f', '"0x1f"'],
    ['15:04:05', '"15:04:05"'],
    ['2024-01-02', '"2024-01-02"'],
    ['2024-01-02 15:04:05 +0000 UTC', '2024-01-02 15:04:05 +0000 UTC'],
    ['15:04:05+07:00', '15:04:05+07:00'],
    ['02 Jan 2006 15:04:05Z', '02 Jan 2006 15:04:05Z'],
    ['local:mysql-0', 'local:mysql-0'],
    ['a: b', "'a: b'"],
    ['a #b', "'a #b'"],
    ["it's", "it's"],
    ["'quoted'", "'''quoted'''"],
    [' padded ', "' padded '"],
    ['{"a":1}', `'{"a":1}'`],
    ['- item', "'- item'"],
    ['-dash', '-dash'],
    ['*', "'*'"],
    ['bell\u0007', '"bell\\u0007"'],
    ['two\nlines', '|-\n  two\n  lines'],
    ['two\nlines\n', '|\n  two\n  lines'],
  ])('writes %j as %s', (text, expected) => {
    expect(toYaml({ key: text })).toBe(`key: ${expected}\n`);
  });

  test('reads back as what was written', () => {
    const scalar = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
      fc.constantFrom(
        'a\n\nb\n\n',
        ' a\nb',
        'x \ny',
        '\n',
        '\na',
        '~',
        '<<',
        '1_000',
        'a\tb',
        '? a',
      ),
      fc.integer(),
      fc.boolean(),
    );
    const { tree } = fc.letrec<{ tree: OutputValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        scalar,
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expect(parse(toYaml({ value }), { schema: 'core' })).toEqual({ value });
      }),
      { numRuns: 500 },
    );
  });
});

describe('JSON output', () => {
  test('is compact and escapes as Go does', () => {
    expect(toJson({ a: '<b>&', c: [1, null] })).toBe(
      '{"a":"\\u003cb\\u003e\\u0026","c":[1,null]}\n',
    );
  });
});

describe('the order of names', () => {
  test('counts numbers as numbers', () => {
    expect(['db/10', 'db/2', 'app/1', 'db-x/0', 'db/02'].toSorted(compareNaturally)).toEqual([
      'app/1',
      'db-x/0',
      'db/2',
      'db/02',
      'db/10',
    ]);
  });

  test('holds for keys at every depth', () => {
    expect(JSON.stringify(sortKeys({ b: 1, a10: { d: 1, c: [{ f: 1, e: 2 }] }, a9: 0 }))).toBe(
      '{"a9":0,"a10":{"c":[{"e":2,"f":1}],"d":1},"b":1}',
    );
  });
});
