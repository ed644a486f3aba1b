/** A session whose daemon is a table of answers, and that remembers what was asked and printed. */
import type { CallName, Calls } from '../../../lib/sandbox/api.ts';
import type { CommandIo } from '../../../lib/sandbox/cli/io.ts';
import { runWith } from '../../../lib/sandbox/cli/main.ts';
import type { Session } from '../../../lib/sandbox/cli/session.ts';

type Answer = { [N in CallName]?: (params: Calls[N]['params']) => Calls[N]['result'] };

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly { readonly name: string; readonly params: unknown }[];
}

export interface FakeOptions {
  readonly input?: string;
  readonly cwd?: string;
}

/** Runs one command line; a call without an answer fails the command. */
export async function runFake(
  args: readonly string[],
  answers: Answer = {},
  options: FakeOptions = {},
): Promise<Ran> {
  const calls: { name: string; params: unknown }[] = [];
  let out = '';
  let err = '';
  const io: CommandIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readLine: async () => options.input?.split('\n')[0],
    readInput: async () => options.input ?? '',
    env: { HOME: '/home/somebody', JUJU_DATA: '/nowhere' },
    cwd: options.cwd ?? '/',
    isTerminal: false,
    signal: new AbortController().signal,
  };
  const code = await runWith(
    args,
    io,
    (session): Session => ({
      ...session,
      call: async (name, params) => {
        calls.push({ name, params });
        const answer = answers[name];
        if (answer === undefined) {
          throw new Error(`unexpected call ${name}`);
        }
        return answer(params);
      },
    }),
  );
  return { code, out, err, calls };
}
