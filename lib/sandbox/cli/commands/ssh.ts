/** `juju ssh` and `juju scp`, without ssh: the machines are this host, each with a home directory of its own. */
import { spawn } from 'node:child_process';
import { cp, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { describeError } from '#system';
import type { Place } from '../../api.ts';
import { booleanFlag, refusedFlag, textFlag } from '../arguments/flag-kinds.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';
import { splitSshArguments } from '../ssh/ssh-arguments.ts';

const SSH_FLAGS = {
  container: refusedFlag('containers are for Kubernetes'),
  remote: booleanFlag('Accepted for compatibility; changes nothing'),
  proxy: booleanFlag('Accepted for compatibility; changes nothing'),
  pty: textFlag('Accepted for compatibility; the terminal is yours'),
  'no-host-key-checks': booleanFlag('Accepted for compatibility; there are no host keys'),
} as const;

export const ssh = defineCommand({
  name: 'ssh',
  usage: '<[user@]target> [openssh options] [command]',
  summary: 'Run a shell, or a command, in the place of a machine or unit.',
  details:
    'There is no ssh: the command runs here, as you, in the home directory of the machine, with a\n' +
    'login environment and without a hook context; its exit code is passed on. The words of the\n' +
    'command are joined by spaces and given to a shell, as ssh does.',
  examples: ['juju ssh db/0', 'juju ssh db/leader -- ls -la', 'juju ssh 0 pwd'],
  interspersed: false,
  flags: SSH_FLAGS,
  run: async ({ session, positionals }) => {
    const [target, ...rest] = positionals;
    if (target === undefined) {
      throw new UsageError('no target name specified');
    }
    const words = splitSshArguments(rest).command;
    const place = await session.call('place', { target: withoutUser(target) });
    return runInPlace(session, place, words);
  },
});

async function runInPlace(
  { io }: Session,
  { shell, env }: Place,
  words: readonly string[],
): Promise<number> {
  const { TERM: terminal } = io.env;
  const args = words.length === 0 ? ['-l'] : ['-c', words.join(' ')];
  const child = spawn(shell.file, [...shell.args, ...args], {
    cwd: shell.cwd,
    env: { ...env, ...(terminal === undefined ? {} : { TERM: terminal }) },
    stdio: 'inherit',
  });
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      done(code ?? 128 + (signal === null ? 127 : constants.signals[signal]));
    });
  });
}

export const scp = defineCommand({
  name: 'scp',
  usage: '[scp options] <source>... <destination>',
  summary: 'Copy files to or from the place of a machine or unit.',
  details:
    'A remote path is target:path, relative to the home directory of the machine unless it is\n' +
    'absolute; absolute paths are those of this host. -r copies directories.',
  examples: ['juju scp ./notes.txt db/0:', 'juju scp -- -r db/0:/var/log/db ./logs'],
  interspersed: false,
  flags: SSH_FLAGS,
  run: async ({ session, positionals }) => {
    const { options, command: paths } = splitSshArguments(positionals);
    const destination = paths.at(-1);
    if (destination === undefined || paths.length < 2) {
      throw new UsageError('at least two arguments required');
    }
    const to = await locate(session, destination);
    for (const path of paths.slice(0, -1)) {
      await copy(await locate(session, path), to, options.includes('-r'));
    }
  },
});

async function copy(from: string, to: string, recursive: boolean): Promise<void> {
  try {
    const source = await stat(from);
    if (source.isDirectory() && !recursive) {
      throw new CommandError(`${from}: not a regular file; use -r to copy directories`);
    }
    const target = await stat(to).catch(() => undefined);
    await cp(from, target?.isDirectory() === true ? join(to, basename(from)) : to, { recursive });
  } catch (error) {
    throw error instanceof CommandError
      ? error
      : new CommandError(`cannot copy ${from} to ${to}: ${describeError(error)}`);
  }
}

/** The path on this host of `path` or `[user@]target:path`. */
async function locate(session: Session, text: string): Promise<string> {
  const remote = /^([^:/]+(?:\/[^:/]+)?):(.*)$/.exec(text);
  if (remote === null) {
    return resolve(session.io.cwd, text);
  }
  const [, target = '', path = ''] = remote;
  const { home, files } = await session.call('place', { target: withoutUser(target) });
  return files + resolve(home, path.replace(/^~\/?/, ''));
}

/** There is one user here: the one that runs the sandbox. */
function withoutUser(target: string): string {
  return target.replace(/^[^@/]*@/, '');
}
