/** The process around `recover`: arguments, streams, Ctrl+C, exit code. */
import { once } from 'node:events';
import { describeError, systemClock } from '#system';
import { recover } from './recover.ts';

/** Runs the command of this process; its failure becomes one line and exit code 1. */
export async function processMain(): Promise<void> {
  const controller = new AbortController();
  process.once('SIGINT', () =>
    controller.abort(new Error('interrupted; nothing of it is to be used')),
  );

  try {
    await recover(process.argv.slice(2), {
      environment: process.env,
      clock: systemClock,
      print: (text) => void process.stdout.write(text),
      note: (text) => void process.stderr.write(text),
      write: async (data) => {
        if (!process.stdout.write(data)) {
          await once(process.stdout, 'drain');
        }
      },
      signal: controller.signal,
    });
  } catch (error) {
    process.stderr.write(`recover: ${describeError(error)}\n`);
    process.exitCode = 1;
  }
}
