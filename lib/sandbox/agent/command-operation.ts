/** Runs shell commands in a unit's context: juju-exec on the machine, and `juju exec`. */
import { describeError } from '#system';
import type { Transaction } from '../store/store.ts';
import { type CharmProcessEnd, runCharmProcess } from './charm-process.ts';
import { hookEnvironment } from './environment.ts';
import { type ContextRelation, HookContext } from './hook-context.ts';
import { inContext, onMachine } from './hook-operation.ts';
import { noteProcess } from './orphans.ts';
import { carryOutReboot, noteReboot } from './reboot.ts';
import type { AgentServices } from './services.ts';
import { unitDirectory } from './unit-directory.ts';

/** What a juju-exec wants done, and who waits for it. */
export interface Commands {
  readonly script: string;
  readonly relation?: ContextRelation;
  readonly done: (result: CommandResult) => void;
}

interface CommandResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** Runs the commands; what they wrote is committed whatever their exit code. */
export async function runCommands(
  services: AgentServices,
  unit: string,
  commands: Commands,
  settle: (transaction: Transaction) => void,
): Promise<void> {
  const context = new HookContext(services, {
    unit,
    label: 'run-commands',
    ...(commands.relation === undefined ? {} : { relation: commands.relation }),
  });
  services.store.transact((transaction) => {
    transaction.patch('unit', unit, {
      running: { contextId: context.id },
      agent: { current: 'executing', message: 'running commands', since: context.now() },
    });
  });
  const end = await runShell(services, context, commands.script);
  const failure = commit(services, context, settle);
  await carryOutReboot(services, context);
  const { stdout } = end;
  const stderr =
    failure === undefined ? end.stderr : Buffer.concat([end.stderr, Buffer.from(failure)]);
  const code = failure === undefined ? (end.exitCode ?? 1) : 1;
  commands.done({ code, stdout, stderr });
}

/** `/bin/bash -s` with the script on its standard input, in the charm's directory. */
export async function runShell(
  services: AgentServices,
  context: HookContext,
  script: string,
): Promise<CharmProcessEnd> {
  const directory = unitDirectory(services.paths, context.unit);
  const env = hookEnvironment(services, context, undefined);
  // A socket as standard input makes bash think of rshd, and read ~/.bashrc.
  const shell = { file: '/bin/bash', args: ['--norc', '-s'] };
  services.recorder.dispatch(context, { ...shell, stdin: script, env });
  return await inContext(services, context, async () =>
    runCharmProcess({
      ...(await onMachine(services, context.unit, { ...shell, cwd: directory.charm })),
      stdin: script,
      pipes: services.pipes,
      env,
      onStarted: (pid) => {
        noteProcess(directory, context.id, pid);
      },
    }),
  );
}

/** Commits; without the charm's writes where they are refused, and then answers why. */
function commit(
  { store, recorder }: AgentServices,
  context: HookContext,
  settle: (transaction: Transaction) => void,
): string | undefined {
  const end = (transaction: Transaction) => {
    transaction.patch('unit', context.unit, { running: undefined });
    settle(transaction);
    noteReboot(transaction, context);
  };
  try {
    store.transact((transaction) => {
      context.flush(transaction);
      end(transaction);
    });
    recorder.commit(context);
    return undefined;
  } catch (error) {
    store.transact(end);
    const reason = `committing requested changes failed: ${describeError(error)}`;
    recorder.commit(context, reason);
    return `ERROR ${reason}\n`;
  }
}
