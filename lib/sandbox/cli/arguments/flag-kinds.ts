/** The kinds of flags that commands are made of. */
import type { FlagSpec } from './flags.ts';

interface Common {
  readonly help: string;
  readonly aliases?: readonly string[];
  readonly placeholder?: string;
}

// What Go's strconv.ParseBool takes.
const TRUE_WORDS = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE_WORDS = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** `--flag`, or `--flag=true|false`. */
export function booleanFlag(
  help: string,
  options: Partial<Common> & { readonly initial?: boolean } = {},
): FlagSpec<boolean> {
  return {
    kind: 'boolean',
    initial: false,
    ...options,
    help,
    parse: (text) => {
      const value = TRUE_WORDS.includes(text);
      if (!value && !FALSE_WORDS.includes(text)) {
        throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
      }
      return value;
    },
  };
}

/** A text, undefined unless given. */
export function textFlag(
  help: string,
  options: Partial<Common> = {},
): FlagSpec<string | undefined> {
  return {
    kind: 'value',
    initial: undefined,
    placeholder: '<value>',
    ...options,
    help,
    parse: (text) => text,
  };
}

/** A flag that may be repeated; every value is kept. */
export function listFlag(help: string, options: Partial<Common> = {}): FlagSpec<readonly string[]> {
  return {
    kind: 'value',
    initial: [],
    placeholder: '<value>',
    ...options,
    help,
    parse: (text, previous) => [...previous, text],
  };
}

/** Comma-separated values; may also be repeated. */
export function commaFlag(
  help: string,
  options: Partial<Common> = {},
): FlagSpec<readonly string[]> {
  return {
    ...listFlag(help, options),
    parse: (text, previous) => [...previous, ...text.split(',').filter((item) => item !== '')],
  };
}

/** A whole number, undefined unless given. */
export function integerFlag(
  help: string,
  options: Partial<Common> = {},
): FlagSpec<number | undefined> {
  return {
    kind: 'value',
    initial: undefined,
    placeholder: '<number>',
    ...options,
    help,
    parse: (text) => {
      if (!/^[-+]?\d+$/.test(text)) {
        throw new Error('parse error');
      }
      return Number(text);
    },
  };
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A Go duration such as `90s`, `1m30s` or `1.5h`, as milliseconds; a bare number is refused as in Go. */
export function parseDuration(text: string): number {
  if (text === '0') {
    return 0;
  }
  const parts = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy)];
  const used = parts.reduce((length, [part]) => length + part.length, 0);
  if (parts.length === 0 || used !== text.length) {
    const reason = /^[\d.]+$/.test(text) ? 'missing unit in duration' : 'invalid duration';
    throw new Error(`time: ${reason} ${JSON.stringify(text)}`);
  }
  return parts.reduce(
    (total, [, amount, unit]) => total + Number(amount) * (DURATION_UNITS[unit ?? ''] ?? 0),
    0,
  );
}

/** A Go duration, in milliseconds. */
export function durationFlag(
  help: string,
  options: Partial<Common> = {},
): FlagSpec<number | undefined> {
  return {
    kind: 'value',
    initial: undefined,
    placeholder: '<duration>',
    ...options,
    help,
    parse: parseDuration,
  };
}

/** One of a set of words; the first is the default. */
export function choiceFlag<const T extends readonly [string, ...string[]]>(
  choices: T,
  help: string,
  options: Partial<Common> = {},
): FlagSpec<T[number]> {
  return {
    kind: 'value',
    initial: choices[0],
    placeholder: `<${choices.join('|')}>`,
    ...options,
    help,
    parse: (text) => {
      const found = choices.find((choice) => choice === text);
      if (found === undefined) {
        throw new Error(`unknown format ${JSON.stringify(text)}`);
      }
      return found;
    },
  };
}

/** `--format`, its first choice being the default. */
export function formatFlag<const T extends readonly [string, ...string[]]>(
  choices: T,
): FlagSpec<T[number]> {
  return choiceFlag(choices, `Specify output format (${choices.join('|')})`);
}

/** A flag of Juju's that means nothing in the sandbox: using it is refused, with the reason. */
export function refusedFlag(reason: string): FlagSpec<string | undefined> {
  return {
    kind: 'value',
    initial: undefined,
    placeholder: '<value>',
    help: `Not available: ${reason}`,
    parse: () => {
      throw new Error(reason);
    },
  };
}
