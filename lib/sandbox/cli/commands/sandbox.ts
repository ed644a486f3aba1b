/** `juju sandbox`: what tests do to a sandbox and Juju has no command for. */
import type { FaultParams } from '../../api-faults.ts';
import { killDaemon } from '../../client/kill-daemon.ts';
import { integerFlag, parseDuration, textFlag } from '../arguments/flag-kinds.ts';
import { isUnitName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';

interface Flags {
  readonly relation: string | undefined;
  readonly 'remote-unit': string | undefined;
  readonly 'departing-unit': string | undefined;
  readonly secret: string | undefined;
  readonly revision: number | undefined;
}

interface Call {
  readonly session: Session;
  readonly args: readonly string[];
  readonly flags: Flags;
}

interface Subcommand {
  readonly usage: string;
  readonly summary: string;
  readonly run: (call: Call) => Promise<void>;
}

const UNIT_FAULTS = {
  'stop-agent': 'End the agent of a unit, as if its machine was lost.',
  'start-agent': 'Start a stopped agent again.',
  freeze: 'Stop the process of the running hook, action or command of a unit.',
  thaw: 'Let it go on.',
  'drop-commit': 'Let the next commit of a unit fail, as if the controller refused it.',
  'force-leader': 'Make a unit the leader of its application.',
} as const;

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ...Object.entries(UNIT_FAULTS).map(([name, summary]): [string, Subcommand] => [
    name,
    {
      usage: '<unit>',
      summary,
      run: async ({ session, args }) => {
        const [unit, ...extra] = args;
        refuseExtra(extra);
        const fault = name as keyof typeof UNIT_FAULTS;
        await session.call('fault', { fault, unit: requireUnitName(unit) });
      },
    },
  ]),
  [
    'kill-daemon',
    {
      usage: '',
      summary: 'kill -9 of the daemon; the next command starts it again.',
      run: async ({ session, args }) => {
        refuseExtra(args);
        if (!(await killDaemon(session.root))) {
          throw new CommandError(`no daemon runs in ${session.root}`);
        }
      },
    },
  ],
  [
    'advance',
    {
      usage: '<duration>',
      summary: 'Move the clock forward: retries, update-status, secret rotation and expiry.',
      run: async ({ session, args }) => {
        const [duration, ...extra] = args;
        refuseExtra(extra);
        await session.call('fault', { fault: 'advance', ms: readDuration(duration) });
      },
    },
  ],
  [
    'fire',
    {
      usage: '<unit> <event>',
      summary: 'Run a hook by hand.',
      run: async ({ session, args, flags }) => {
        const [unit, event, ...extra] = args;
        refuseExtra(extra);
        if (event === undefined) {
          throw new UsageError('no event specified');
        }
        await session.call('fault', {
          fault: 'fire',
          unit: requireUnitName(unit),
          event,
          ...fireOptions(flags),
        });
      },
    },
  ],
]);

export const sandbox = defineCommand({
  name: 'sandbox',
  usage: '<subcommand> [<argument> ...]',
  summary: 'Faults and events by hand, for tests (not a command of Juju).',
  details:
    `Juju has no such command. Subcommands:\n\n${listSubcommands()}\n\n` +
    'Everything done is shown in debug-log. A fired hook is like one that came again: what the charm\n' +
    'writes is kept, what the unit knows of the model stays.',
  examples: [
    'juju sandbox stop-agent db/0',
    'juju sandbox advance 24h',
    'juju sandbox fire db/0 update-status',
    'juju sandbox fire db/0 db-relation-changed --relation 3 --remote-unit web/0',
  ],
  flags: {
    relation: textFlag('fire: the relation, as 3 or db:3', { placeholder: '<id>', aliases: ['r'] }),
    'remote-unit': textFlag('fire: the remote unit', { placeholder: '<unit>' }),
    'departing-unit': textFlag('fire: who departs; the remote unit unless given', {
      placeholder: '<unit>',
    }),
    secret: textFlag('fire: the secret', { placeholder: '<id>' }),
    revision: integerFlag('fire: its revision; the latest unless given'),
  },
  run: async ({ session, positionals, flags, given }) => {
    const [name, ...args] = positionals;
    if (name === undefined) {
      throw new UsageError(`no subcommand specified; there are:\n\n${listSubcommands()}`);
    }
    const subcommand = SUBCOMMANDS.get(name);
    if (subcommand === undefined) {
      throw new UsageError(
        `unknown subcommand ${quoted(name)}; there are:\n\n${listSubcommands()}`,
      );
    }
    const own = Object.keys(flags).filter((flag) => given.has(flag) && flag in FIRE_FLAGS);
    if (name !== 'fire' && own[0] !== undefined) {
      throw new UsageError(`option --${own[0]} is for "juju sandbox fire" only`);
    }
    await subcommand.run({ session, args, flags });
  },
});

const FIRE_FLAGS = {
  relation: true,
  'remote-unit': true,
  'departing-unit': true,
  secret: true,
  revision: true,
};

function listSubcommands(): string {
  return [...SUBCOMMANDS]
    .map(([name, { usage, summary }]) => `    ${`${name} ${usage}`.padEnd(24)} ${summary}`)
    .join('\n');
}

function requireUnitName(text: string | undefined): string {
  if (text === undefined) {
    throw new UsageError('no unit specified');
  }
  if (!isUnitName(text)) {
    throw new UsageError(`unit name ${quoted(text)} not valid`);
  }
  return text;
}

function readDuration(text: string | undefined): number {
  if (text === undefined) {
    throw new UsageError('no duration specified, for example 5m or 24h');
  }
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function fireOptions(
  flags: Flags,
): Omit<FaultParams & { fault: 'fire' }, 'fault' | 'unit' | 'event'> {
  const { relation, secret, revision } = flags;
  const id = /^(?:[^:]+:)?(\d+)$/.exec(relation ?? '')?.[1];
  if (relation !== undefined && id === undefined) {
    throw new UsageError(`invalid relation id ${quoted(relation)}`);
  }
  return {
    ...(id === undefined ? {} : { relation: Number(id) }),
    ...(flags['remote-unit'] === undefined ? {} : { remoteUnit: flags['remote-unit'] }),
    ...(flags['departing-unit'] === undefined ? {} : { departingUnit: flags['departing-unit'] }),
    ...(secret === undefined ? {} : { secret }),
    ...(revision === undefined ? {} : { revision }),
  };
}
