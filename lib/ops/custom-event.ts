/** Fires a custom event of a charm from a process that runs beside it, through juju-exec. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HintError, type RunProcess, runProcess as runRealProcess } from '#system';

export interface FireCustomEventOptions {
  readonly unitName: string;
  readonly charmDir: string;
  /** As in charm.on.custom(name). */
  readonly eventName: string;
  /** Environment of juju-exec; the process's own unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly runProcess?: RunProcess;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when the charm has handled the event: it waits while hooks run on this machine, so there
 * is no deadline unless `signal` sets one.
 * @throws ProcessError when juju-exec or the charm fails.
 */
export async function fireCustomEvent(options: FireCustomEventOptions): Promise<void> {
  if (!/^[a-z][a-z0-9-]*$/.test(options.eventName)) {
    throw new HintError(`cannot fire custom event "${options.eventName}": invalid name`, {
      code: 'invalid-event-name',
      hint: 'use lower-case letters, digits and dashes',
    });
  }
  const env = outsideOfHooks(options.env ?? process.env);
  const script = `JUJU_DISPATCH_PATH=hooks/${options.eventName} ${shellQuote(join(options.charmDir, 'dispatch'))}`;
  const run = options.runProcess ?? runRealProcess;
  await run(findJujuExec(env['PATH']), ['-u', options.unitName, script], {
    env,
    label: `juju-exec for event ${options.eventName}`,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** juju-exec refuses to run inside a hook, and takes an inherited context for one. */
function outsideOfHooks(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name !== 'JUJU_CONTEXT_ID') {
      kept[name] = value;
    }
  }
  return kept;
}

function findJujuExec(path = ''): string {
  const found = path
    .split(':')
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, 'juju-exec'))
    .find((candidate) => existsSync(candidate));
  // Where Juju's machine agent puts it.
  return found ?? '/usr/bin/juju-exec';
}

function shellQuote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
