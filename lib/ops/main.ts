/**
 * The edge of a charm's process: environment in, exit code out. Exit code 0 makes Juju keep what the
 * charm changed; anything else makes it drop that and run the hook again.
 */
import { describeError, hasErrorCode } from '#system';
import type { CharmConstructor } from './charm.ts';
import { dispatch } from './dispatch.ts';
import { claimDispatch } from './dispatch-guard.ts';
import { createProcessRunner, type HookToolRunner } from './hook-tools/index.ts';
import { parseJujuContext } from './juju-context.ts';
import { loadCharmMeta } from './load-meta.ts';
import { createJujuLogger, type Logger } from './logger.ts';

export interface MainOptions {
  /** The process's own unless told. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Juju's executables on PATH unless told. */
  readonly tools?: HookToolRunner;
  /** Deadline of one hook tool call, a minute unless told. */
  readonly toolTimeoutMs?: number;
}

/**
 * Runs the charm for the event Juju named, then ends the process: with 0, or, when anything was
 * thrown or never came to an end, with 1 after logging it with its stack.
 */
export async function main(charmClass: CharmConstructor, options: MainOptions = {}): Promise<void> {
  const environment = options.environment ?? process.env;
  const tools =
    options.tools ??
    createProcessRunner({
      environment,
      ...(options.toolTimeoutMs === undefined ? {} : { timeoutMs: options.toolTimeoutMs }),
    });
  const log = createJujuLogger(tools, (line) => process.stderr.write(line));
  const edge = new ProcessEdge(log, environment);
  edge.watch();
  try {
    const context = parseJujuContext(environment);
    const meta = await loadCharmMeta(context.charmDir);
    const { charmDir, unitName, dispatchPath: event = 'an event without a name' } = context;
    if (!claimDispatch({ charmDir, unitName, event })) {
      log.debug(`cannot claim ${charmDir}: a second dispatch would not be noticed`);
    }
    await dispatch(charmClass, { context, meta, tools, log });
    edge.succeed();
  } catch (error) {
    edge.fail(error);
  }
}

// For what charm code throws without saying what to do.
const CORRECT_ACTION = 'correct the charm, upload it with "juju refresh", and run the action again';
const CORRECT_HOOK =
  'Juju runs the hook again; if it keeps failing, correct the charm and upload it with "juju refresh --force-units", or skip the hook with "juju resolved --no-retry"';

/** Turns every way a process can end into the exit code Juju must see. */
class ProcessEdge {
  readonly #log: Logger;
  readonly #isAction: boolean;
  readonly #event: string;
  #ended = false;

  constructor(log: Logger, environment: Readonly<Record<string, string | undefined>>) {
    this.#log = log;
    this.#isAction = Boolean(environment['JUJU_ACTION_NAME']);
    this.#event = environment['JUJU_DISPATCH_PATH'] || 'none: JUJU_DISPATCH_PATH is not set';
  }

  watch(): void {
    process.on('uncaughtException', (error) => this.fail(error));
    process.on('exit', () => {
      // The event loop ran dry while a handler still waits: without this, Juju would see success.
      if (!this.#ended) {
        this.#ended = true;
        this.#log.error(
          `the charm ended before its handlers did: a promise was never settled\nevent: ${this.#event}\nhint: see that what its handlers await always ends: give it a deadline, keep its connection or timer referenced`,
        );
        process.exitCode = 1;
      }
    });
  }

  /** Ends the process also when a timer or connection is left over: it must not hold up the unit. */
  succeed(): void {
    this.#ended = true;
    process.exit(0);
  }

  fail(error: unknown): void {
    this.#ended = true;
    if (hasErrorCode(error, 'dispatch-running')) {
      // Who started it by hand or from a hook reads its stderr; Juju's log may be out of reach.
      process.stderr.write(`${describeError(error)}\n`);
    }
    const told = stackOf(error);
    const remedy = told.includes('\nhint: ')
      ? ''
      : `\nhint: ${this.#isAction ? CORRECT_ACTION : CORRECT_HOOK}`;
    this.#log.error(
      `Uncaught exception while in charm code: ${told}${remedy}\nevent: ${this.#event}`,
    );
    if (this.#isAction) {
      // Who runs an action sees its stderr, not the log.
      process.stderr.write(
        `Uncaught exception while in charm code: ${describeError(error)}\nUse "juju debug-log" to see the full traceback.\n`,
      );
    }
    process.exit(1);
  }
}

function stackOf(error: unknown): string {
  if (!Error.isError(error)) {
    return String(error);
  }
  const head = error.stack ?? `${error.name}: ${error.message}`;
  const hint = 'hint' in error && typeof error.hint === 'string' ? `\nhint: ${error.hint}` : '';
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${head}${hint}${cause}`;
}
