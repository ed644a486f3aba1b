/**
 * Has the charm told when a worker dies without a word (kill -9, out of memory): a shell, a megabyte small, waits
 * for the end of a pipe that only the worker holds open, and then fires the charm's event in its place.
 */
import { spawn } from 'node:child_process';
import { fireCustomEvent } from '#ops';
import type { RunOptions } from '#system';

export interface DeadMansSwitch {
  /** The worker has said everything itself. */
  disarm(): void;
}

export interface SwitchOptions {
  readonly unitName: string;
  readonly charmDir: string;
  readonly eventName: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

// Reading ends with the pipe. The kernel closes a dying process's files a moment before it counts as dead.
const WATCH = `read -r word
[ "$word" = done ] && exit 0
for pause in 0.3 2 10 60; do
  sleep "$pause"
  "$@" </dev/null && exit 0
done`;

/** Arms the switch; it is not armed when this throws. */
export async function armDeadMansSwitch(options: SwitchOptions): Promise<DeadMansSwitch> {
  const { command, args, env } = await commandOf(options);
  const child = spawn('/bin/sh', ['-c', WATCH, 'sh', command, ...args], {
    detached: true,
    cwd: '/',
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  // A watcher that was killed closes the pipe; that is no reason to fail a job.
  child.stdin.on('error', () => undefined);
  child.unref();
  return {
    disarm: () => {
      child.stdin.end('done\n');
    },
  };
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The very command that fires the event, taken from the code that knows how. */
async function commandOf(options: SwitchOptions): Promise<Command> {
  let found: Command | undefined;
  await fireCustomEvent({
    ...options,
    runProcess: async (command, args, { env = {} }: RunOptions = {}) => {
      found = { command, args, env };
      return { exitCode: 0, stdout: '', stderr: '' };
    },
  });
  if (found === undefined) {
    throw new Error('cannot watch over the worker: no command to fire an event with');
  }
  return found;
}
