/** Reads the table of calls and answers, runs it by a shell, and compares; knows no implementation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Case {
  readonly call: readonly string[];
  readonly stdin?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly code?: number;
}

export interface Group {
  /** `exec`: shell commands in the unit's context; `action`: inside one; `juju-exec`: outside any. */
  readonly context: 'exec' | 'action' | 'juju-exec';
  readonly unit: string;
  readonly cases: readonly Case[];
}

export const { groups } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'cases.json'), 'utf8'),
) as { readonly groups: readonly Group[] };

/** A shell script that runs all cases and leaves `N.out`, `N.err`, `N.code` in `directory`. */
export function scriptFor({ cases }: Group, directory: string): string {
  const lines = cases.flatMap(({ call, stdin = '' }, index) => {
    const file = `${directory}/${index}`;
    const command = call.map(quote).join(' ');
    return [
      `printf %s ${quote(stdin)} | ${command} > ${file}.out 2> ${file}.err && code=0 || code=$?`,
      `echo $code > ${file}.code`,
    ];
  });
  return lines.join('\n');
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

/** What the case expects, with patterns replaced by the text they match, if they do. */
export function expectedAnswer(one: Case, answer: Answer, address: string): Answer {
  return {
    stdout: expected(one.stdout ?? '', answer.stdout, address),
    stderr: expected(one.stderr ?? '', answer.stderr, address),
    code: one.code ?? 0,
  };
}

function expected(text: string, found: string, address: string): string {
  if (!/^\/.*\/$/s.test(text)) {
    return text.replaceAll('{address}', address);
  }
  const pattern = text
    .slice(1, -1)
    .replaceAll('{address}', address.replaceAll('.', String.raw`\.`));
  return new RegExp(pattern, 's').test(found) ? found : text;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
