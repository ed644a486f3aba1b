/** Reads the tables of calls and answers, runs them by a shell, and compares; knows no implementation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Case {
  readonly call: readonly string[];
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
  /** Keeps parts of the output: a regular expression with one group by name, later written {name}. */
  readonly save?: Readonly<Record<string, string>>;
}

export interface Group {
  /**
   * `exec`: shell commands in the unit's context; `hook`: inside config-changed; `action`: inside one;
   * `juju-exec`: outside any.
   */
  readonly context: 'exec' | 'hook' | 'action' | 'juju-exec';
  readonly unit: string;
  /** What the script ends with; 0 unless told. */
  readonly exit?: number;
  readonly cases: readonly Case[];
}

/** The tables in the order they are run in; each goes on with the model the ones before left. */
const TABLES = ['cases', 'formats', 'secrets', 'commits'] as const;

export const groups: readonly Group[] = TABLES.flatMap((name) => {
  const table = JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), 'utf8')) as {
    readonly groups: readonly Group[];
  };
  return table.groups;
});

/**
 * A shell script that runs all cases and leaves `N.out`, `N.err`, `N.code` in `directory`; what cases
 * save lies in `values`, one file a name.
 */
export function scriptFor(
  { cases, exit = 0 }: Group,
  { directory, values }: { readonly directory: string; readonly values: string },
): string {
  const lines = cases.flatMap(({ call, stdin = '', save = {} }, index) => {
    const file = `${directory}/${index}`;
    const command = call.map((word) => quote(word, values)).join(' ');
    return [
      `printf %s ${quote(stdin, values)} | ${command} > ${file}.out 2> ${file}.err && code=0 || code=$?`,
      `echo $code > ${file}.code`,
      ...Object.entries(save).map(
        ([name, pattern]) =>
          `sed -nE ${quote(`s#.*${pattern}#\\1#p`, values)} ${file}.out | tr -d '\\n' > ${values}/${name}`,
      ),
    ];
  });
  return [...lines, `: > ${directory}/done`, `(exit ${exit})`].join('\n');
}

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export function readAnswer(directory: string, index: number): Answer {
  const read = (name: string) => readFileSync(join(directory, `${index}.${name}`), 'utf8');
  return { stdout: read('out'), stderr: read('err'), code: Number(read('code')) };
}

/** What stands for `{name}`: the units' address, and what cases saved. */
export type Values = (name: string) => string | undefined;

/** What the case expects, with patterns replaced by the text they match, if they do. */
export function expectedAnswer(one: Case, answer: Answer, values: Values): Answer {
  return {
    stdout: expected(one.stdout ?? '', answer.stdout, values),
    stderr: expected(one.stderr ?? '', answer.stderr, values),
    code: one.code ?? 0,
  };
}

function expected(text: string, found: string, values: Values): string {
  if (!/^\/.*\/$/s.test(text)) {
    return text.replaceAll(NAME, (whole, name: string) => values(name) ?? whole);
  }
  const pattern = text
    .slice(1, -1)
    .replaceAll(NAME, (whole, name: string) => escaped(values(name)) ?? whole);
  return new RegExp(pattern, 's').test(found) ? found : text;
}

const NAME = /\{([a-z]+)\}/g;

function escaped(text: string | undefined): string | undefined {
  return text?.replaceAll('.', String.raw`\.`);
}

/** For the shell; `{name}` becomes what was saved under that name. */
function quote(text: string, values: string): string {
  return `'${text
    .replaceAll("'", String.raw`'\''`)
    .replaceAll(NAME, (_, name: string) => `'"$(cat ${values}/${name})"'`)}'`;
}
