/** `juju status`. */
import type { FullStatus } from '../../api-status.ts';
import { booleanFlag, choiceFlag, durationFlag, integerFlag } from '../arguments/flag-kinds.ts';
import { defineCommand } from '../command.ts';
import { quoted } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';
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
}

export const status = defineCommand({
  name: 'status',
  usage: '[<selector> ...]',
  summary: 'Report the status of the model, its machine, applications and units.',
  details:
    'Selectors are names of applications, units or machines, or statuses; * and ? stand for\n' +
    'other letters.',
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
    color: booleanFlag('Accepted for compatibility; changes nothing'),
    'no-color': booleanFlag('Accepted for compatibility; changes nothing'),
    'retry-count': integerFlag('Accepted for compatibility; changes nothing'),
    'retry-delay': durationFlag('Accepted for compatibility; changes nothing'),
    watch: durationFlag('Show the status again and again, with so much time between'),
  },
  run: async ({ session, positionals, flags }) => {
    if (flags.watch === undefined) {
      await showOnce(session, positionals, flags);
      return;
    }
    await watch(session, positionals, { ...flags, everyMs: Math.max(flags.watch, 100) });
  },
});

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
    return { text: '', remark: 'Nothing matched specified filter.' };
  }
  const text = FORMATTERS[choices.format](shown, choices);
  const empty = full.applications.length === 0;
  return { text, remark: empty ? `\nModel ${quoted(full.model.name)} is empty.` : undefined };
}
