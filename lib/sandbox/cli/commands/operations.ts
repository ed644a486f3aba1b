/** `juju operations` and `juju show-operation`. */
import type { OperationInfo } from '../../api.ts';
import { formatOperationTable } from '../actions/operation-table.ts';
import { structuredOperation } from '../actions/structured.ts';
import { hasEnded } from '../actions/task-state.ts';
import { waitChoice } from '../actions/wait-choice.ts';
import {
  booleanFlag,
  choiceFlag,
  commaFlag,
  durationFlag,
  formatFlag,
  integerFlag,
} from '../arguments/flag-kinds.ts';
import { applicationOf, isApplicationName, isMachineId, isUnitName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';

const DEFAULT_LIMIT = 50;
// A request to the daemon is answered within so long even when nothing happens.
const POLL_MS = 20_000;

interface Filters {
  readonly actions: readonly string[];
  readonly applications: readonly string[];
  readonly units: readonly string[];
  readonly machines: readonly string[];
  readonly status: readonly string[];
}

export const operations = defineCommand({
  name: 'operations',
  aliases: ['list-operations'],
  usage: '',
  summary: 'List pending, running, or completed operations.',
  examples: ['juju operations', 'juju operations --applications db --status failed'],
  flags: {
    format: choiceFlag(['plain', 'yaml', 'json'], 'Specify output format (json|plain|yaml)'),
    output: outputFlag,
    actions: commaFlag('Only these actions', { aliases: ['action'] }),
    applications: commaFlag('Only these applications', { aliases: ['apps', 'app', 'application'] }),
    units: commaFlag('Only these units', { aliases: ['unit'] }),
    machines: commaFlag('Only these machines', { aliases: ['machine'] }),
    status: commaFlag('Only these statuses'),
    limit: integerFlag('The most operations to show; 50 unless given'),
    offset: integerFlag('How many operations to leave out at the start'),
    utc: booleanFlag('Show times in UTC'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseInvalid(flags);
    refuseExtra(positionals);
    const all = await session.call('operations', {});
    const offset = flags.offset ?? 0;
    const limit = flags.limit || DEFAULT_LIMIT;
    const found = all
      .filter((operation) => matches(operation, flags))
      .toSorted((a, b) => Number(a.id) - Number(b.id));
    const shown = found.slice(offset, offset + limit);
    if (shown.length === 0) {
      session.info('no matching operations');
      return;
    }
    const isTruncated = found.length > offset + limit;
    if (flags.format === 'plain' && (offset > 0 || isTruncated)) {
      session.io.out(`Displaying operation results ${offset + 1} to ${offset + shown.length}.\n`);
    }
    if (flags.format === 'plain' && isTruncated) {
      session.io.out(
        `Run the command again with --offset=${offset + limit} --limit=${limit} to see the next batch.\n\n`,
      );
    }
    const text =
      flags.format === 'plain'
        ? formatOperationTable(shown, flags)
        : formatDocument(
            Object.fromEntries(shown.map((item) => [item.id, structuredOperation(item, flags)])),
            flags.format,
          );
    deliver(text, session.io, flags.output);
  },
});

const STATUSES = [
  'pending',
  'running',
  'completed',
  'failed',
  'cancelled',
  'aborting',
  'aborted',
  'error',
];

function refuseInvalid({ applications, units, machines, status }: Filters): void {
  const wrong = [
    ...applications
      .filter((name) => !isApplicationName(name))
      .map((name) => `invalid application name ${quoted(name)}`),
    ...units.filter((name) => !isUnitName(name)).map((name) => `invalid unit name ${quoted(name)}`),
    ...machines.filter((id) => !isMachineId(id)).map((id) => `invalid machine id ${quoted(id)}`),
    ...status
      .filter((word) => !STATUSES.includes(word))
      .map(
        (word) => `${quoted(word)} is not a valid task status, want one of [${STATUSES.join(' ')}]`,
      ),
  ];
  if (wrong.length > 0) {
    throw new UsageError(wrong.join('\n'));
  }
}

function matches(operation: OperationInfo, filters: Filters): boolean {
  const units = operation.tasks.map(({ unit }) => unit);
  const machines = operation.tasks.flatMap(({ machine }) => machine ?? []);
  return (
    has(filters.actions, [operation.action.name]) &&
    receives(filters, units, machines) &&
    has(filters.status, [operation.status])
  );
}

/** Applications, units and machines add up: an operation is shown when any of them received it. */
function receives(
  filters: Filters,
  units: readonly string[],
  machines: readonly string[],
): boolean {
  const wanted = filters.applications.length + filters.units.length + filters.machines.length;
  return (
    wanted === 0 ||
    units.some((unit) => filters.applications.includes(applicationOf(unit))) ||
    units.some((unit) => filters.units.includes(unit)) ||
    machines.some((machine) => filters.machines.includes(machine))
  );
}

function has(wanted: readonly string[], found: readonly string[]): boolean {
  return wanted.length === 0 || found.some((item) => wanted.includes(item));
}

export const showOperation = defineCommand({
  name: 'show-operation',
  usage: '<operation ID>',
  summary: 'Show results of an operation.',
  examples: ['juju show-operation 1', 'juju show-operation 1 --wait=2m'],
  flags: {
    format: formatFlag(['yaml', 'json']),
    output: outputFlag,
    wait: durationFlag('Maximum wait time for the operation to complete'),
    watch: booleanFlag('Wait indefinitely for results'),
    utc: booleanFlag('Show times in UTC'),
  },
  run: async ({ session, positionals, flags }) => {
    const { waitMs } = waitChoice(flags);
    const [id, ...extra] = positionals;
    if (id === undefined) {
      throw new UsageError('no operation ID specified');
    }
    if (!/^\d+$/.test(id)) {
      throw new UsageError(`operation ID ${quoted(id)} not valid`);
    }
    refuseExtra(extra);
    const operation = await waitForOperation(session, id, waitMs);
    if (waitMs !== 0 && !hasEnded(operation)) {
      throw new CommandError('timeout reached');
    }
    deliver(
      formatDocument(structuredOperation(operation, flags), flags.format),
      session.io,
      flags.output,
    );
  },
});

async function waitForOperation(
  session: Session,
  id: string,
  waitMs: number | undefined,
): Promise<OperationInfo> {
  const deadline = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
  for (;;) {
    const left = Math.max(0, Math.min(POLL_MS, Math.ceil(deadline - performance.now())));
    const operation = await session.call('operation', { id, waitMs: left });
    if (hasEnded(operation) || performance.now() >= deadline) {
      return operation;
    }
  }
}
