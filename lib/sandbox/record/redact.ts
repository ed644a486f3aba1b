/** Takes the contents of secrets out of what is recorded. */
import { parse, stringify } from 'yaml';
import type { SecretDocument } from '../model/documents.ts';

const REDACTED = '[redacted]';

// Shorter values are redacted where secrets are written and read, but not searched for elsewhere: a "1" is everywhere.
const LEAST_LENGTH = 4;

// The members of calls that hold contents.
const CONTENT_MEMBERS: ReadonlySet<string> = new Set(['content', 'data', 'values']);

export class Redactor {
  readonly #forms = new Set<string>();

  /** Takes notice of a secret's values, to find them anywhere. */
  learn(secret: Pick<SecretDocument, 'revisions'>): void {
    for (const { content } of secret.revisions) {
      for (const encoded of Object.values(content)) {
        this.#learnValue(Buffer.from(encoded, 'base64').toString('utf8'));
      }
    }
  }

  /** Any JSON value without known contents of secrets. */
  scrub<T>(value: T): T {
    return this.#scrub(value) as T;
  }

  /** Arguments of a hook tool. */
  args(command: string, args: readonly string[]): readonly string[] {
    if (!writesSecret(command)) {
      return this.scrub(args);
    }
    return this.scrub(
      args.map((arg) => {
        const at = arg.indexOf('=');
        if (at === -1 || arg.startsWith('-')) {
          return arg;
        }
        this.#learnValue(arg.slice(at + 1));
        return `${arg.slice(0, at)}=${REDACTED}`;
      }),
    );
  }

  stdin(command: string, stdin: string): string {
    return writesSecret(command) ? REDACTED : this.scrub(stdin);
  }

  /** The answer of a hook tool. */
  stdout(command: string, stdout: string): string {
    return command === 'secret-get' ? withoutValues(stdout) : this.scrub(stdout);
  }

  /** Parameters of a call about secrets. */
  params(call: string, params: unknown): unknown {
    const isSecret = call === 'add-secret' || call === 'update-secret';
    if (!isSecret || typeof params !== 'object' || params === null) {
      return this.scrub(params);
    }
    const entries = Object.entries(params).map(([name, value]: [string, unknown]) =>
      CONTENT_MEMBERS.has(name) ? [name, REDACTED] : [name, this.scrub(value)],
    );
    return Object.fromEntries(entries) as unknown;
  }

  #learnValue(value: string): void {
    if (value.length >= LEAST_LENGTH) {
      this.#forms.add(value);
      this.#forms.add(JSON.stringify(value).slice(1, -1));
      this.#forms.add(Buffer.from(value, 'utf8').toString('base64'));
    }
  }

  #scrub(value: unknown): unknown {
    if (typeof value === 'string') {
      return [...this.#forms].reduce((text, form) => text.replaceAll(form, REDACTED), value);
    }
    if (Array.isArray(value)) {
      return value.map((item) => this.#scrub(item));
    }
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(([key, item]) => [key, this.#scrub(item)]);
      return Object.fromEntries(entries) as unknown;
    }
    return value;
  }
}

function writesSecret(command: string): boolean {
  return command === 'secret-add' || command === 'secret-set';
}

/** The same document with its values replaced; a single value as a whole. */
function withoutValues(stdout: string): string {
  if (stdout === '') {
    return '';
  }
  const document = parseAny(stdout);
  if (typeof document !== 'object' || document === null) {
    return `${REDACTED}\n`;
  }
  const replaced = Object.fromEntries(Object.keys(document).map((key) => [key, REDACTED]));
  return stdout.startsWith('{') ? `${JSON.stringify(replaced)}\n` : stringify(replaced);
}

/** JSON is YAML, too. */
function parseAny(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
