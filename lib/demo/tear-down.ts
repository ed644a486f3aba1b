/** Ends what the demo started, whatever state it is in. */
import { rm } from 'node:fs/promises';
import { describeError } from '#system';
import type { DemoOptions, Stage } from './story.ts';

/** Stops sandbox and S3 server; never throws, as it also runs after a failure. */
export async function tearDown(
  { narrator, juju, s3 }: Stage,
  options: DemoOptions,
  { showLog }: { readonly showLog: boolean },
): Promise<void> {
  const attempt = async (step: () => Promise<unknown>) => {
    await step().catch((error: unknown) => narrator.say(`(${describeError(error)})`));
  };
  if (showLog) {
    narrator.heading('The end of the log');
    await attempt(() => juju(['debug-log', '--no-tail', '-n', '40']));
  }
  narrator.heading('Clearing up');
  await attempt(() => juju(['kill-controller', '--no-prompt']));
  await attempt(() => s3(['stop', '--data', options.s3Directory]));
  await attempt(() => rm(options.s3Directory, { recursive: true, force: true }));
}
