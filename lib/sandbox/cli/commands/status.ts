/** `juju status`. */
import type { FullStatus } from '../../api-status.ts';
import { booleanFlag, choiceFlag, durationFlag, integerFlag } from '../arguments/flag-kinds.ts';
import { defineCommand } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';
import { choosePaint, type Paint } from '../status/colours.ts';
import { filterStatus } from '../status/filter.ts';
import { formatOneline } from '../status/oneline.ts';
import { structuredStatus } from '../status/structured.ts';
import { formatSummary } from '../status/summary.ts';
import { formatTabular } from '../status/tabular.ts';

const FORMATS = ['tabular', 'json', 'line', 'oneline', 'short', 'summary', 'yaml'] as const;

interface StatusChoices {
  readonly format: (typeof FORMATS)[number];
  readonly output: string | undefined;
  readonly relations: boolean;
  readonly storage: boolean;
  readonly utc: boolean;
  readonly paint: Paint;
}

export const status = defineCommand({
  name: 'status',
  usage: '[<selector> ...]',
  summary: 'Report the status of the model, its machine, applications and units.',
  details:
    'Selectors are names of applications, units (also db/leader) or machines, statuses, open\n' +
    'ports (80/tcp), addresses, subnets (10.0.0.0/8), or "exposed"; * and ? stand for other\n' +
    'letters in names. What a selector matches is shown with the machines it is on.\n' +
    '--watch shows the status again and again until interrupted by Ctrl+C.',
  examples: [
    'juju status',
    'juju status --relations',
    'juju status db active --format=json',
    'juju status --watch 1s',
  ],
  flags: {
    format: choiceFlag(
      FORMATS,
      'Specify output format (json|line|oneline|short|summary|tabular|yaml)',
    ),
    output: outputFlag,
    relations: booleanFlag('Show the relations too', { aliases: ['integrations'] }),
    storage: booleanFlag('Show the storage too'),
    utc: booleanFlag('Display time as UTC'),
    color: booleanFlag('Use colours in tables, also where there is no terminal'),
    'no-color': booleanFlag('Use no colours'),
    'retry-count': integerFlag('Accepted for compatibility; changes nothing'),
    'retry-delay': durationFlag('Accepted for compatibility; changes nothing'),
    watch: durationFlag('Show the status again and again, with so much time between'),
  },
  run: async ({ session, positionals, flags }) => {
    if (flags.color && flags['no-color']) {
      throw new UsageError('cannot mix --no-color and --color');
    }
    const choices = {
      ...flags,
      utc: flags.utc || wantsIsoTime(session.io.env),
      paint: choosePaint(flags, session.io),
    };
    tellOfIdleFlags(session, flags);
    if (flags.watch === undefined) {
      await showOnce(session, positionals, choices);
      return;
    }
    await watch(session, positionals, { ...choices, everyMs: Math.max(flags.watch, 100) });
  },
});

const ISO_TIME = 'JUJU_STATUS_ISO_TIME';

function wantsIsoTime(env: CommandIo['env']): boolean {
  try {
    return booleanFlag('').parse(env[ISO_TIME] || 'false', false);
  } catch {
    throw new UsageError(`invalid ${ISO_TIME} env var, expected true|false`);
  }
}

/** Other formats than tables have everything. */
function tellOfIdleFlags(
  session: Session,
  flags: Pick<StatusChoices, 'format' | 'relations' | 'storage'>,
): void {
  const idle = (['relations', 'storage'] as const).filter((name) => flags[name]);
  if (flags.format !== 'tabular' && idle.length > 0) {
    const are = idle.length > 1 ? 'options are' : 'option is';
    session.info(`provided ${idle.join(', ')} ${are} always enabled in non tabular formats`);
  }
}

async function showOnce(
  session: Session,
  selectors: readonly string[],
  choices: StatusChoices,
): Promise<void> {
  const { text, remark } = render(await session.call('status', {}), selectors, choices);
  deliver(text, session.io, choices.output);
  if (remark !== undefined) {
    session.io.err(`${remark}\n`);
  }
}

/** On a terminal the screen is written anew; elsewhere one status follows the other. */
async function watch(
  session: Session,
  selectors: readonly string[],
  choices: StatusChoices & { readonly everyMs: number },
): Promise<void> {
  const { io } = session;
  while (!io.signal.aborted) {
    const { text, remark } = render(await session.call('status', {}), selectors, choices);
    const shown = remark === undefined ? text : `${text}${remark}\n`;
    io.out(io.isTerminal ? `\u001B[H\u001B[2J\u001B[3J${shown}` : shown);
    await pause(choices.everyMs, io.signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

type Formatter = (view: FullStatus, choices: StatusChoices) => string;

const FORMATTERS: Readonly<Record<Exclude<StatusChoices['format'], 'json' | 'yaml'>, Formatter>> = {
  tabular: formatTabular,
  summary: formatSummary,
  line: formatOneline,
  oneline: formatOneline,
  short: formatOneline,
};

interface Rendered {
  readonly text: string;
  /** Goes to standard error: why there is so little to see. */
  readonly remark: string | undefined;
}

function render(full: FullStatus, selectors: readonly string[], choices: StatusChoices): Rendered {
  const shown = filterStatus(full, selectors);
  const nothing = shown.applications.length === 0 && shown.machines.length === 0;
  if (choices.format === 'json' || choices.format === 'yaml') {
    return {
      text: formatDocument(structuredStatus(shown, choices), choices.format),
      remark: undefined,
    };
  }
  if (nothing && selectors.length > 0) {
    const filter = selectors.length === 1 ? 'filter' : 'filters';
    return { text: '', remark: `Nothing matched specified ${filter}.` };
  }
  const text = FORMATTERS[choices.format](shown, choices);
  const empty = full.applications.length === 0;
  return { text, remark: empty ? `\nModel ${quoted(full.model.name)} is empty.` : undefined };
}
