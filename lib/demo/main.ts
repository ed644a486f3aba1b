/**
 * `npm run demo [-- --keep] [--scale N] [--s3-port N]`: the main job of the product, end to end, in
 * the sandbox, as a user would do it by hand.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError } from '#system';
import { createCommands } from './commands.ts';
import { createNarrator } from './narrator.ts';
import { preflight } from './preflight.ts';
import { type DemoOptions, runStory, type Stage } from './story.ts';
import { tearDown } from './tear-down.ts';

const narrator = createNarrator();

try {
  const options = parseOptions();
  await preflight(options);
  await perform(options);
} catch (error) {
  process.stderr.write(`\nThe demo ended early: ${describeError(error)}\n`);
  process.exitCode = 1;
}

async function perform(options: DemoOptions): Promise<void> {
  const commands = createCommands(narrator);
  tearDownWhenInterrupted({ narrator, ...commands }, options);
  let finished = false;
  try {
    await runStory({ narrator, ...commands }, options);
    finished = true;
  } finally {
    if (!(finished && options.keep)) {
      await tearDown({ narrator, ...commands }, options, { showLog: !finished });
    }
  }
}

/** Ctrl+C ends the demo, not only this process: what it started is stopped first. */
function tearDownWhenInterrupted(stage: Stage, options: DemoOptions): void {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      narrator.say('\nInterrupted.');
      void tearDown(stage, options, { showLog: false }).finally(() => process.exit(exitCode));
    });
  }
}

function parseOptions(): DemoOptions {
  const { values } = parseArgs({
    options: {
      keep: { type: 'boolean', default: false },
      scale: { type: 'string', default: '20' },
      's3-port': { type: 'string', default: '9480' },
    },
  });
  const dataDirectory =
    process.env['JUJU_DATA'] ?? join(homedir(), '.local', 'share', 'juju-sandbox');
  return {
    keep: values.keep,
    scale: positiveInteger('--scale', values.scale),
    s3Port: positiveInteger('--s3-port', values['s3-port']),
    dataDirectory,
    s3Directory: `${dataDirectory}-s3`,
  };
}

function positiveInteger(name: string, text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) {
    throw new Error(`${name} takes a number from 1 to 99999, not "${text}"`);
  }
  return Number(text);
}
