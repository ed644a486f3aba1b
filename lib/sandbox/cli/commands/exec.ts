/** `juju exec`: commands in the hook context of units. */
import type { TaskInfo } from '../../api.ts';
import {
  checkOperationChoices,
  finishOperation,
  OPERATION_FLAGS,
} from '../actions/scheduled-operation.ts';
import { booleanFlag, commaFlag, refusedFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName, isUnitOrLeader } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';
import { compareNaturally } from '../output/natural-sort.ts';

const DEFAULT_WAIT_MS = 5 * 60_000;

export const exec = defineCommand({
  name: 'exec',
  usage: '<commands>',
  summary: 'Run the commands on the units specified, in their hook context.',
  details:
    'Several words are quoted and joined; write -- before commands with options of their own.\n' +
    'Buffered changes (relation-set and so on) are committed after the commands.',
  examples: ['juju exec --unit db/0 -- relation-ids backup', 'juju exec --application db env'],
  flags: {
    ...OPERATION_FLAGS,
    unit: commaFlag('One or more units', { aliases: ['u'], placeholder: '<unit>[,<unit>]' }),
    application: commaFlag('One or more applications', {
      aliases: ['a', 'app'],
      placeholder: '<application>[,<application>]',
    }),
    all: booleanFlag('Every unit'),
    machine: refusedFlag('all machines are this host, and you are on it'),
    operator: refusedFlag('it is for Kubernetes'),
    parallel: booleanFlag('Accepted for compatibility; commands of units run one after the other'),
    'execution-group': refusedFlag('commands of units run one after the other'),
  },
  run: async ({ session, positionals, flags }) => {
    checkOperationChoices(flags);
    if (positionals.length === 0) {
      throw new UsageError('no commands specified');
    }
    checkTargets(flags.unit, flags.application, flags.all);
    const [only] = positionals;
    const command =
      positionals.length === 1 && only !== undefined ? only : positionals.map(shellQuote).join(' ');
    const enqueued = await session.call('exec', {
      command,
      ...(flags.all ? { all: true } : { units: flags.unit, applications: flags.application }),
    });
    await finishOperation(session, enqueued, {
      choices: flags,
      defaultWaitMs: DEFAULT_WAIT_MS,
      progress: session.detail,
      formatPlain: formatExec,
    });
  },
});

function checkTargets(
  units: readonly string[],
  applications: readonly string[],
  all: boolean,
): void {
  if (!all && units.length === 0 && applications.length === 0) {
    throw new UsageError(
      'You must specify a target, either through --all, --machine, --application or --unit',
    );
  }
  if (all && applications.length > 0) {
    throw new UsageError('You cannot specify --all and individual applications');
  }
  if (all && units.length > 0) {
    throw new UsageError('You cannot specify --all and individual units');
  }
  const wrong = [
    ...applications
      .filter((name) => !isApplicationName(name))
      .map((name) => `  ${quoted(name)} is not a valid application name`),
    ...units
      .filter((name) => !isUnitOrLeader(name))
      .map((name) => `  ${quoted(name)} is not a valid unit name`),
  ];
  if (wrong.length > 0) {
    throw new UsageError(`The following exec targets are not valid:\n${wrong.join('\n')}`);
  }
}

/** What each unit wrote; below its name where there are several. */
function formatExec(tasks: readonly TaskInfo[]): string {
  const outputs = tasks
    .map((task) => ({ unit: task.unit, text: output(task) }))
    .toSorted((a, b) => compareNaturally(a.unit, b.unit));
  return outputs.length === 1
    ? (outputs[0]?.text ?? '')
    : outputs.map(({ unit, text }) => `${unit}:\n${text}\n`).join('');
}

function output(task: TaskInfo): string {
  return ['stdout', 'stderr']
    .map((name) => task.results[name])
    .map((text) => (typeof text === 'string' && text !== '' ? text.replace(/\n?$/, '\n') : ''))
    .join('');
}

function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}
