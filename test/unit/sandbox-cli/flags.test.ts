import { describe, expect, test } from '@jest/globals';
import {
  booleanFlag,
  choiceFlag,
  commaFlag,
  integerFlag,
  listFlag,
  parseDuration,
  textFlag,
} from '../../../lib/sandbox/cli/arguments/flag-kinds.ts';
import { parseArguments } from '../../../lib/sandbox/cli/arguments/flags.ts';
import * as fc from '../../helpers/fast-check.ts';

const SPECS = {
  'num-units': integerFlag('units', { aliases: ['n'] }),
  config: listFlag('configuration'),
  reset: commaFlag('options'),
  force: booleanFlag('force'),
  verbose: booleanFlag('verbose', { aliases: ['v'] }),
  quiet: booleanFlag('quiet', { aliases: ['q'] }),
  output: textFlag('file', { aliases: ['o'] }),
  format: choiceFlag(['plain', 'yaml', 'json'], 'format'),
};

const parse = (...args: string[]) => parseArguments(args, SPECS);

describe('the argument grammar', () => {
  test('takes flags before, between and after positionals', () => {
    const { positionals, flags } = parse('--force', 'a', '-n', '3', 'b', '--output', 'f');
    expect(positionals).toEqual(['a', 'b']);
    expect(flags).toMatchObject({ force: true, 'num-units': 3, output: 'f' });
  });

  test('takes values after an equals sign, of which later ones belong to the value', () => {
    expect(parse('--config=a=b=c', '--config', 'd=e').flags.config).toEqual(['a=b=c', 'd=e']);
  });

  test('takes an empty value', () => {
    expect(parse('--output=').flags.output).toBe('');
  });

  test('takes a value glued to a one-letter flag, and clustered one-letter booleans', () => {
    expect(parse('-n12').flags['num-units']).toBe(12);
    expect(parse('-vqn3').flags).toMatchObject({ verbose: true, quiet: true, 'num-units': 3 });
  });

  test('takes booleans as words but never from the next argument', () => {
    expect(parse('--force=false').flags.force).toBe(false);
    expect(parse('--force=True').flags.force).toBe(true);
    expect(parse('--force', 'false').positionals).toEqual(['false']);
  });

  test('takes everything after -- as positionals, and a lone dash too', () => {
    expect(parse('a', '--', '--force', '-x').positionals).toEqual(['a', '--force', '-x']);
    expect(parse('-').positionals).toEqual(['-']);
  });

  test('takes a negative number and a value that looks like a flag', () => {
    expect(parse('-n', '-1').flags['num-units']).toBe(-1);
    expect(parse('--output', '--force').flags).toMatchObject({ output: '--force', force: false });
  });

  test('splits comma-separated values', () => {
    expect(parse('--reset', 'a,b', '--reset=c').flags.reset).toEqual(['a', 'b', 'c']);
  });

  test('tells which flags were given', () => {
    expect([...parse('-n1', '--force=false').given]).toEqual(['num-units', 'force']);
  });

  test.each([
    [['--nope'], 'option provided but not defined: --nope'],
    [['-x'], 'option provided but not defined: -x'],
    [['--nope=1'], 'option provided but not defined: --nope'],
    [['--n', '1'], 'option provided but not defined: --n'],
    [['--output'], 'option needs an argument: --output'],
    [['-n'], 'option needs an argument: -n'],
    [['-n', 'x'], 'invalid value "x" for option -n: parse error'],
    [['--format', 'bad'], 'invalid value "bad" for option --format: unknown format "bad"'],
    [
      ['--force=maybe'],
      'invalid value "maybe" for option --force: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });

  test('never loses or invents a positional', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('-'));
    fc.assert(
      fc.property(fc.array(word), fc.array(word), (before, after) => {
        expect(parse(...before, '--force', ...after).positionals).toEqual([...before, ...after]);
        expect(parse('--', ...before, '--force').positionals).toEqual([...before, '--force']);
      }),
    );
  });
});

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['60', 'time: missing unit in duration "60"'],
    ['soon', 'time: invalid duration "soon"'],
    ['5 s', 'time: invalid duration "5 s"'],
    ['', 'time: invalid duration ""'],
  ])('%j is refused', (text, message) => {
    expect(() => parseDuration(text)).toThrow(message);
  });
});
