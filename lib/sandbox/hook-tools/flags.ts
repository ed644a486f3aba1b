/**
 * Command-line flags as Juju's gnuflag reads them: before or after positionals, `--flag=value` and
 * `--flag value`, booleans only as `--flag` or `--flag=true`. https://github.com/juju/gnuflag
 */
import { usageError } from './tool-error.ts';

export interface FlagSpec {
  readonly kind: 'text' | 'boolean';
  /** One-letter or other names of the same flag. */
  readonly aliases?: readonly string[];
}

export interface ParsedFlags {
  /** The value given last; undefined when not given. */
  text(name: string): string | undefined;
  boolean(name: string): boolean;
  given(name: string): boolean;
}

/** Splits arguments into flags and positionals. @throws ToolError (2) for anything not in `specs`. */
export function parseFlags(
  args: readonly string[],
  specs: Readonly<Record<string, FlagSpec>>,
): { readonly flags: ParsedFlags; readonly positionals: readonly string[] } {
  const values = new Map<string, string | boolean>();
  const positionals: string[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      positionals.push(...rest.splice(0));
    } else if (word.startsWith('--')) {
      parseLong(word, rest, specs, values);
    } else if (word.startsWith('-') && word !== '-') {
      parseShort(word, rest, specs, values);
    } else {
      positionals.push(word);
    }
  }
  return { flags: reader(values), positionals };
}

type Values = Map<string, string | boolean>;
type Specs = Readonly<Record<string, FlagSpec>>;

function parseLong(word: string, rest: string[], specs: Specs, values: Values): void {
  const equals = word.indexOf('=');
  const shown = equals === -1 ? word : word.slice(0, equals);
  const [name, spec] = find(shown.slice(2), shown, specs);
  const inline = equals === -1 ? undefined : word.slice(equals + 1);
  set({ name, spec, shown, inline }, rest, values);
}

/** `-r1`, `-r 1`, `-r=1` is the value `=1` in gnuflag; booleans may stand together: `-ab`. */
function parseShort(word: string, rest: string[], specs: Specs, values: Values): void {
  for (let at = 1; at < word.length; at += 1) {
    const shown = `-${word[at] ?? ''}`;
    const [name, spec] = find(word[at] ?? '', shown, specs);
    if (spec.kind === 'text') {
      const inline = at + 1 < word.length ? word.slice(at + 1) : undefined;
      set({ name, spec, shown, inline }, rest, values);
      return;
    }
    values.set(name, true);
  }
}

interface Found {
  readonly name: string;
  readonly spec: FlagSpec;
  readonly shown: string;
  readonly inline: string | undefined;
}

function set({ name, spec, shown, inline }: Found, rest: string[], values: Values): void {
  if (spec.kind === 'boolean') {
    values.set(name, parseBoolean(shown, inline ?? 'true'));
    return;
  }
  const value = inline ?? rest.shift();
  if (value === undefined) {
    throw usageError(`option needs an argument: ${shown}`);
  }
  values.set(name, value);
}

function parseBoolean(shown: string, text: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) {
    return true;
  }
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) {
    return false;
  }
  throw usageError(
    `invalid value ${JSON.stringify(text)} for option ${shown}: strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

function find(word: string, shown: string, specs: Specs): readonly [string, FlagSpec] {
  for (const [name, spec] of Object.entries(specs)) {
    if (name === word || spec.aliases?.includes(word) === true) {
      return [name, spec];
    }
  }
  throw usageError(`option provided but not defined: ${shown}`);
}

function reader(values: ReadonlyMap<string, string | boolean>): ParsedFlags {
  return {
    text(name) {
      const value = values.get(name);
      return typeof value === 'string' ? value : undefined;
    },
    boolean: (name) => values.get(name) === true,
    given: (name) => values.has(name),
  };
}
