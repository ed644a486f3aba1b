/** `juju show-status-log`: what statuses were. */
import type { StatusChange } from '../../api-status.ts';
import { Timestamp } from '../../go-output/values.ts';
import { booleanFlag, choiceFlag, integerFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName, isMachineId, isUnitName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';
import { isoTime, statusTime } from '../output/timestamp.ts';

const DEFAULT_LINES = 20;
const DAY_MS = 86_400_000;

/** Which kinds of statuses each `--type` shows, and whose. */
const TYPES: Readonly<
  Record<string, { readonly kinds: readonly string[]; readonly isValid: (name: string) => boolean }>
> = {
  unit: { kinds: ['workload', 'juju-unit'], isValid: isUnitName },
  workload: { kinds: ['workload'], isValid: isUnitName },
  'juju-unit': { kinds: ['juju-unit'], isValid: isUnitName },
  application: { kinds: ['application'], isValid: isApplicationName },
  machine: { kinds: ['machine'], isValid: isMachineId },
  'juju-machine': { kinds: ['juju-machine'], isValid: isMachineId },
};

export const showStatusLog = defineCommand({
  name: 'show-status-log',
  usage: '<entity name>',
  summary: 'Output past statuses for the specified entity.',
  examples: ['juju show-status-log db/0', 'juju show-status-log --type application db'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    type: textFlag(`Type of statuses to be displayed [${Object.keys(TYPES).join('|')}]`),
    lines: integerFlag('The last so many; 20 unless given', { aliases: ['n'] }),
    days: integerFlag('Those of so many days'),
    'from-date': textFlag('Those since a date, YYYY-MM-DD'),
    utc: booleanFlag('Display time as UTC'),
  },
  run: async ({ session, positionals, flags }) => {
    const [entity, ...extra] = positionals;
    if (extra.length > 0) {
      throw new UsageError('unexpected arguments after entity name.');
    }
    if (entity === undefined) {
      throw new UsageError('entity name is missing.');
    }
    const keep = filterOf({ ...flags, from: flags['from-date'] });
    const wanted = flags.type ?? 'unit';
    const type = TYPES[wanted];
    if (type === undefined) {
      throw new UsageError(`unexpected status type ${quoted(wanted)}`);
    }
    if (!type.isValid(entity)) {
      throw new CommandError(`${quoted(entity)} is not a valid name for a ${wanted}`);
    }
    const all = await session.call('status-history', { entity });
    const shown = keep(all.filter((change) => type.kinds.includes(change.type)));
    if (shown.length === 0) {
      throw new CommandError('no status history available');
    }
    const text =
      flags.format === 'tabular'
        ? table(shown, flags)
        : formatDocument(shown.map(structured), flags.format);
    deliver(text, session.io, flags.output);
  },
});

interface Backlog {
  readonly lines: number | undefined;
  readonly days: number | undefined;
  readonly from: string | undefined;
}

type Keep = (changes: readonly StatusChange[]) => readonly StatusChange[];

function filterOf({ lines, days, from }: Backlog): Keep {
  if ([lines, days, from].filter((given) => given !== undefined).length > 1) {
    throw new UsageError(
      'backlog size, backlog date and backlog days back cannot be specified together',
    );
  }
  if (days === undefined && from === undefined) {
    return (changes) => changes.slice(-(lines ?? DEFAULT_LINES));
  }
  const since =
    days === undefined ? Date.parse(`${from ?? ''}T00:00:00Z`) : Date.now() - days * DAY_MS;
  if (Number.isNaN(since)) {
    throw new UsageError(`parsing backlog date: ${quoted(from ?? '')} is not YYYY-MM-DD`);
  }
  return (changes) => changes.filter((change) => Date.parse(change.since) >= since);
}

function table(changes: readonly StatusChange[], zone: { readonly utc: boolean }): string {
  return formatTable(
    ['Time', 'Type', 'Status', 'Message'],
    changes.map(({ since, type, status, message }) => [
      statusTime(new Date(since), zone),
      type,
      status,
      message ?? '',
    ]),
  );
}

function structured({ status, message, since, type }: StatusChange) {
  return {
    status,
    message: message === '' ? undefined : message,
    since: new Timestamp(isoTime(new Date(since), { utc: true })),
    type,
  };
}
