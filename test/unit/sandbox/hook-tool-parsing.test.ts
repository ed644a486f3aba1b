import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseFlags } from '../../../lib/sandbox/hook-tools/flags.ts';
import { formatValue, goJson, goYaml } from '../../../lib/sandbox/hook-tools/output.ts';
import { newSecretId, parseSecretUri } from '../../../lib/sandbox/model/secrets.ts';
import { array, assert, dictionary, property, string } from '../../helpers/fast-check.ts';

const SPECS = {
  relation: { kind: 'text', aliases: ['r'] },
  app: { kind: 'boolean' },
  all: { kind: 'boolean', aliases: ['a'] },
} as const;

describe('flags of hook tools', () => {
  test.each([
    [['-r', '1', 'x'], '1', ['x']],
    [['x', '--relation=db:1', 'y'], 'db:1', ['x', 'y']],
    [['-r1'], '1', []],
    [['--relation', '1', '-r', '2'], '2', []],
    [['--', '-r', '1'], undefined, ['-r', '1']],
    [['-'], undefined, ['-']],
  ])('%j', (args, relation, positionals) => {
    const parsed = parseFlags(args, SPECS);
    expect(parsed.flags.text('relation')).toBe(relation);
    expect(parsed.positionals).toEqual(positionals);
  });

  test.each([
    [['--app'], true],
    [['--app=true'], true],
    [['--app=False'], false],
    [[], false],
  ])('booleans: %j', (args, expected) => {
    expect(parseFlags(args, SPECS).flags.boolean('app')).toBe(expected);
  });

  test.each([
    [['--nope'], 'option provided but not defined: --nope'],
    [['-z'], 'option provided but not defined: -z'],
    [['-r'], 'option needs an argument: -r'],
    [['--app=maybe'], 'invalid value "maybe" for option --app'],
  ])('%j is refused', (args, message) => {
    expect(() => parseFlags(args, SPECS)).toThrow(message);
  });

  test('what follows -- arrives as it is', () => {
    assert(
      property(array(string()), (words) => {
        expect(parseFlags(['--', ...words], SPECS).positionals).toEqual(words);
      }),
    );
  });
});

describe('output of hook tools', () => {
  test.each([
    ['text', 'text\n', 'text\n', '"text"\n'],
    ['', '', '""\n', '""\n'],
    [true, 'True\n', 'true\n', 'true\n'],
    [3, '3\n', '3\n', '3\n'],
    [['a', 'b'], 'a\nb\n', '- a\n- b\n', '["a","b"]\n'],
    [[], '', '[]\n', '[]\n'],
    [{ b: '1', a: 'x' }, 'a: x\nb: "1"\n', 'a: x\nb: "1"\n', '{"a":"x","b":"1"}\n'],
    [{}, '{}\n', '{}\n', '{}\n'],
    [undefined, '', '', 'null\n'],
  ])('%j', (value, smart, yaml, json) => {
    expect(formatValue(value, 'smart')).toBe(smart);
    expect(formatValue(value, 'yaml')).toBe(yaml);
    expect(formatValue(value, 'json')).toBe(json);
  });

  test.each(['e0', '-.', '+.', '._', '._1', '.1_0', '1e', '0x'])('plain: %s', (text) => {
    expect(goYaml(text)).toBe(`${text}\n`);
  });

  test.each(['1e5', '-1', '+.5', '.5e-3', '1_000', '-_1', '+._1', '0x1F', '0b1', '08', '1:30'])(
    'no number, so quoted: %s',
    (text) => {
      expect(goYaml(text)).toBe(`"${text}"\n`);
    },
  );

  test('texts survive YAML and JSON whatever they hold', () => {
    const text = string().filter((it) => !isNumberOnlyHere(it));
    assert(
      property(dictionary(text, text), (map) => {
        expect(JSON.parse(goJson(map))).toEqual(map);
        expect(parse(goYaml(map), { version: '1.1' })).toEqual(map);
      }),
    );
  });
});

/** What the parser of these tests takes for a number, and Go's, whose style it is, does not. */
function isNumberOnlyHere(text: string): boolean {
  return (
    /^(?:[-+]?0[xb]_*|[-+]?[._]*(?:[eE][-+]?\d+)?|\.[\d_]*_[\d_]*(?:[eE][-+]?\d+)?)$/.test(text) &&
    text !== ''
  );
}

describe('secret ids', () => {
  test('are twenty characters, differ, and are found in every form of a URI', () => {
    const id = newSecretId(new Date());
    expect(id).toMatch(/^[0-9a-v]{20}$/);
    expect(newSecretId(new Date())).not.toBe(id);
    const uuid = '55663a08-fdc6-4721-ba0d-fab0279a913b';
    for (const uri of [id, `secret:${id}`, `secret://${uuid}/${id}`, `${uuid}/${id}`]) {
      expect(parseSecretUri(uri)).toBe(id);
    }
    expect(parseSecretUri('secret:short')).toBeUndefined();
  });
});
