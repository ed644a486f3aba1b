/** `juju exec`: commands in the hook context of units, or on machines. */
import type { TaskInfo } from '../../api.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import {
  checkOperationChoices,
  finishOperation,
  OPERATION_FLAGS,
} from '../actions/scheduled-operation.ts';
import { receiverOf } from '../actions/task-state.ts';
import { booleanFlag, commaFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName, isMachineId, isUnitOrLeader } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';

const DEFAULT_WAIT_MS = 5 * 60_000;

export const exec = defineCommand({
  name: 'exec',
  usage: '<commands>',
  summary: 'Run the commands on the remote targets specified.',
  details:
    'On units the commands have the hook context; on machines (--machine, --all) they have none.\n' +
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
    all: booleanFlag('Every machine'),
    machine: commaFlag('One or more machines', { placeholder: '<id>[,<id>]' }),
    operator: booleanFlag('For Kubernetes only'),
    parallel: booleanFlag('Without waiting for the lock of the machine; --parallel=false waits', {
      initial: true,
    }),
    'execution-group': textFlag('Commands of one group run one after the other'),
  },
  run: async ({ session, positionals, flags }) => {
    checkOperationChoices(flags);
    if (positionals.length === 0) {
      throw new UsageError('no commands specified');
    }
    checkTargets(flags, flags.all);
    if (flags.operator) {
      throw new CommandError('only k8s models support the --operator flag');
    }
    const [only] = positionals;
    const command =
      positionals.length === 1 && only !== undefined ? only : positionals.map(shellQuote).join(' ');
    const enqueued = await session.call('exec', {
      command,
      parallel: flags.parallel,
      ...(flags['execution-group'] ? { executionGroup: flags['execution-group'] } : {}),
      ...(flags.all
        ? { all: true }
        : { units: flags.unit, applications: flags.application, machines: flags.machine }),
    });
    await finishOperation(session, enqueued, {
      choices: flags,
      defaultWaitMs: DEFAULT_WAIT_MS,
      progress: session.detail,
      formatPlain: formatExec,
    });
  },
});

interface Targets {
  readonly unit: readonly string[];
  readonly application: readonly string[];
  readonly machine: readonly string[];
}

function checkTargets(targets: Targets, all: boolean): void {
  const kinds = ['machine', 'application', 'unit'] as const;
  if (!all && kinds.every((kind) => targets[kind].length === 0)) {
    throw new UsageError(
      'You must specify a target, either through --all, --machine, --application or --unit',
    );
  }
  const beside = kinds.find((kind) => all && targets[kind].length > 0);
  if (beside !== undefined) {
    throw new UsageError(`You cannot specify --all and individual ${beside}s`);
  }
  const wrong = [
    ...refused(targets.machine, isMachineId, 'machine id'),
    ...refused(targets.application, isApplicationName, 'application name'),
    ...refused(targets.unit, isUnitOrLeader, 'unit name'),
  ];
  if (wrong.length > 0) {
    throw new UsageError(`The following exec targets are not valid:\n${wrong.join('\n')}`);
  }
}

function refused(
  names: readonly string[],
  isValid: (name: string) => boolean,
  what: string,
): readonly string[] {
  return names
    .filter((name) => !isValid(name))
    .map((name) => `  ${quoted(name)} is not a valid ${what}`);
}

/** What each unit wrote; below its name where there are several. */
function formatExec(tasks: readonly TaskInfo[]): string {
  const outputs = tasks
    .map((task) => ({ unit: receiverOf(task), text: output(task) }))
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
