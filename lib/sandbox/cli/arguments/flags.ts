/**
 * The argument grammar of Juju's commands: flags before, between or after positionals, `--flag value`,
 * `--flag=value`, `-n3`, clustered one-letter booleans, `--` ends flags.
 * Follows github.com/juju/gnuflag (flag.go, parseArgs with allowIntersperse), including its messages.
 */
import { quoted, UsageError } from '../errors.ts';

/** One flag of a command; `parse` turns the text given into the flag's value. */
export interface FlagSpec<T> {
  readonly kind: 'boolean' | 'value';
  readonly initial: T;
  /** What stands for the value in the help text. */
  readonly placeholder?: string;
  readonly help: string;
  /** Other spellings; one letter is used with one dash. */
  readonly aliases?: readonly string[];
  /** `previous` is the value so far, for flags that may be repeated. */
  readonly parse: (text: string, previous: T) => T;
}

export type FlagSpecs = Readonly<Record<string, FlagSpec<unknown>>>;

export type FlagValues<S> = {
  readonly [K in keyof S]: S[K] extends FlagSpec<infer T> ? T : never;
};

export interface ParsedArguments<S> {
  readonly positionals: readonly string[];
  readonly flags: FlagValues<S>;
  /** The flags that were given, by their main names. */
  readonly given: ReadonlySet<string>;
}

/** @throws UsageError with gnuflag's message. */
export function parseArguments<S extends Readonly<Record<string, unknown>>>(
  args: readonly string[],
  specs: S,
  { interspersed }: { readonly interspersed: boolean } = { interspersed: true },
): ParsedArguments<S> {
  const parser = new FlagParser(specs as unknown as FlagSpecs);
  parser.parseAll(args, interspersed);
  return {
    positionals: parser.positionals,
    flags: Object.fromEntries(parser.values) as FlagValues<S>,
    given: parser.given,
  };
}

class FlagParser {
  readonly positionals: string[] = [];
  readonly values = new Map<string, unknown>();
  readonly given = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #specs: FlagSpecs;
  #rest: string[] = [];

  constructor(specs: FlagSpecs) {
    this.#specs = specs;
    for (const [name, spec] of Object.entries(specs)) {
      this.values.set(name, spec.initial);
      for (const spelling of [name, ...(spec.aliases ?? [])]) {
        this.#names.set(spelling, name);
      }
    }
  }

  parseAll(args: readonly string[], interspersed: boolean): void {
    this.#rest = [...args];
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === '--') {
        this.positionals.push(...this.#rest);
        return;
      }
      if (word.startsWith('--')) {
        this.#long(word.slice(2));
      } else if (word.startsWith('-') && word !== '-') {
        this.#cluster(word.slice(1));
      } else {
        this.positionals.push(word);
        if (!interspersed) {
          this.positionals.push(...this.#rest);
          return;
        }
      }
    }
  }

  #long(text: string): void {
    const at = text.indexOf('=');
    const spelling = at === -1 ? text : text.slice(0, at);
    const value = at === -1 ? undefined : text.slice(at + 1);
    if (spelling.length === 1) {
      throw undefinedFlag(spelling, '--');
    }
    const name = this.#nameOf(spelling);
    if (value === undefined && this.#spec(name).kind === 'value') {
      this.#set(name, spelling, this.#nextWord(spelling));
    } else {
      this.#set(name, spelling, value ?? 'true');
    }
  }

  /** `-abc` are three booleans; `-n3` and `-n 3` give n its value. */
  #cluster(text: string): void {
    for (let at = 0; at < text.length; at += 1) {
      const letter = text.charAt(at);
      const name = this.#nameOf(letter);
      if (this.#spec(name).kind === 'boolean') {
        this.#set(name, letter, 'true');
        continue;
      }
      const attached = text.slice(at + 1);
      this.#set(name, letter, attached === '' ? this.#nextWord(letter) : attached);
      return;
    }
  }

  #nameOf(spelling: string): string {
    const name = this.#names.get(spelling);
    if (name === undefined) {
      throw undefinedFlag(spelling);
    }
    return name;
  }

  #spec(name: string): FlagSpec<unknown> {
    const spec = this.#specs[name];
    if (spec === undefined) {
      throw undefinedFlag(name);
    }
    return spec;
  }

  #nextWord(spelling: string): string {
    const word = this.#rest.shift();
    if (word === undefined) {
      throw new UsageError(`option needs an argument: ${withDashes(spelling)}`);
    }
    return word;
  }

  #set(name: string, spelling: string, text: string): void {
    try {
      this.values.set(name, this.#spec(name).parse(text, this.values.get(name)));
    } catch (error) {
      const reason = Error.isError(error) ? error.message : String(error);
      throw new UsageError(
        `invalid value ${quoted(text)} for option ${withDashes(spelling)}: ${reason}`,
      );
    }
    this.given.add(name);
  }
}

function undefinedFlag(spelling: string, dashes?: string): UsageError {
  const shown = dashes === undefined ? withDashes(spelling) : dashes + spelling;
  return new UsageError(`option provided but not defined: ${shown}`);
}

function withDashes(spelling: string): string {
  return spelling.length === 1 ? `-${spelling}` : `--${spelling}`;
}
