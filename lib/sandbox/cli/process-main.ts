/** The process edge of the `juju` command: arguments, streams, signals and the exit code. */
import { constants } from 'node:os';
import { processIo } from './io.ts';
import { runJuju } from './main.ts';

/** Runs the command line of this process and ends it. */
export async function runProcessMain(): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted.abort();
      process.exit(128 + constants.signals[signal]);
    });
  }
  const code = await runJuju(process.argv.slice(2), processIo(interrupted.signal));
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}
