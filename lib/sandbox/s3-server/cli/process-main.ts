/** The edge of the `juju-s3` command: arguments, environment, signals, output and exit code. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describeError, HintError } from '#system';
import { type Command, parseCommand, type StartCommand, USAGE } from './arguments.ts';
import { describeCredentials, describeStatus, stopServer } from './control.ts';
import { type StartReport, startDetached } from './detach.ts';
import { startServer } from './start.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/juju-s3.mjs', import.meta.url));

/** Does what the command line says and sets the exit code: 0, 1 for a failure, 2 for wrong usage. */
export async function runProcessMain(): Promise<void> {
  const args = process.argv.slice(2);
  try {
    const command = parseCommand(args, {
      variables: process.env,
      workingDirectory: process.cwd(),
    });
    await run(command, args);
  } catch (error) {
    const isUsage = error instanceof HintError && error.code === 'usage';
    report(failureOf(error));
    process.stderr.write(`ERROR ${describeError(error)}\n`);
    process.exitCode = isUsage ? 2 : 1;
  }
}

async function run(command: Command, args: readonly string[]): Promise<void> {
  switch (command.verb) {
    case 'help':
      process.stdout.write(USAGE);
      return;
    case 'start':
      await (command.isDetached ? runDetached(command, args) : runForeground(command));
      return;
    case 'status':
      print(await describeStatus(command.dataDirectory));
      return;
    case 'credentials':
      print(await describeCredentials(command.dataDirectory));
      return;
    case 'stop':
      print((await stopServer(command.dataDirectory)) ? 'stopped' : 'no S3 server was running');
      return;
    default:
      command satisfies never;
  }
}

async function runDetached(command: StartCommand, args: readonly string[]): Promise<void> {
  const { dataDirectory } = command;
  const endpoint = await startDetached({
    program: PROGRAM,
    args: args.filter((arg) => arg !== '--detach'),
    dataDirectory,
  });
  describeStart(command, endpoint);
}

async function runForeground(command: StartCommand): Promise<void> {
  const server = await startServer(command, {
    variables: process.env,
    print,
    warn: (line) => process.stderr.write(`${line}\n`),
  });
  // Whoever started us in the background may be gone by then; that ends nothing.
  process.on('disconnect', () => undefined);
  // Before anybody is told that we run, and may end us.
  const isToldToEnd = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  report({ endpoint: server.endpoint });
  describeStart(command, server.endpoint);
  await isToldToEnd;
  await server.close();
}

function describeStart(command: StartCommand, endpoint: string): void {
  const data = `--data ${command.dataDirectory}`;
  print(`endpoint: ${endpoint}`);
  if (command.buckets.length > 0) {
    print(`buckets: ${command.buckets.join(', ')}`);
  }
  print(`credentials: see "juju-s3 credentials ${data}"`);
  print(`to stop: ${command.isDetached ? `juju-s3 stop ${data}` : 'Ctrl+C'}`);
}

function report(message: StartReport): void {
  if (process.connected) {
    process.send?.(message);
  }
}

function failureOf(error: unknown): StartReport {
  return {
    code: error instanceof HintError ? error.code : 'start-failed',
    message: error instanceof HintError ? error.message : describeError(error),
    hint: error instanceof HintError ? error.hint : undefined,
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
