/** `juju sandbox`: what tests do to a sandbox and Juju has no command for. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describeError } from '#system';
import type { FaultParams } from '../../api-faults.ts';
import { killDaemon } from '../../client/kill-daemon.ts';
import { sandboxPaths } from '../../client/paths.ts';
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
  readonly storage: string | undefined;
  readonly unit: string | undefined;
  readonly charm: string | undefined;
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
    'record',
    {
      usage: '<file>',
      summary: 'Write down what happens: commands, dispatches, hook tools, commits.',
      run: async ({ session, args }) => {
        await session.call('record', { file: resolve(session.io.cwd, requireFile(args)) });
      },
    },
  ],
  [
    'stop-record',
    {
      usage: '',
      summary: 'End the record; it is compressed if its name ends in .gz.',
      run: async ({ session, args }) => {
        refuseExtra(args);
        const { file } = await session.call('stop-record', {});
        session.info(`Recorded ${file}`);
      },
    },
  ],
  [
    'replay',
    {
      usage: '<file>',
      summary: 'Run the recorded dispatches of --unit again and tell the first difference.',
      run: async (call) => replayFile(call),
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
    unit: textFlag('replay: the unit; may be left out when the record has one', {
      placeholder: '<unit>',
    }),
    charm: textFlag('replay: the unpacked charm; that of the sandbox unless given', {
      placeholder: '<directory>',
    }),
    relation: textFlag('fire: the relation, as 3 or db:3', { placeholder: '<id>', aliases: ['r'] }),
    'remote-unit': textFlag('fire: the remote unit', { placeholder: '<unit>' }),
    'departing-unit': textFlag('fire: who departs; the remote unit unless given', {
      placeholder: '<unit>',
    }),
    secret: textFlag('fire: the secret', { placeholder: '<id>' }),
    revision: integerFlag('fire: its revision; the latest unless given'),
    storage: textFlag('fire: the storage', { placeholder: '<name>/<number>' }),
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
    const foreign = Object.entries(FLAG_OWNERS).find(
      ([flag, owner]) => given.has(flag) && owner !== name,
    );
    if (foreign !== undefined) {
      throw new UsageError(`option --${foreign[0]} is for "juju sandbox ${foreign[1]}" only`);
    }
    await subcommand.run({ session, args, flags });
  },
});

const FLAG_OWNERS = {
  relation: 'fire',
  'remote-unit': 'fire',
  'departing-unit': 'fire',
  secret: 'fire',
  revision: 'fire',
  storage: 'fire',
  unit: 'replay',
  charm: 'replay',
} as const;

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

/** `3` or `db:3`. */
function readRelationId(text: string): number {
  const id = /^(?:[^:]+:)?(\d+)$/.exec(text)?.[1];
  if (id === undefined) {
    throw new UsageError(`invalid relation id ${quoted(text)}`);
  }
  return Number(id);
}

function fireOptions(
  flags: Flags,
): Omit<FaultParams & { fault: 'fire' }, 'fault' | 'unit' | 'event'> {
  const { relation, secret, revision, storage } = flags;
  return {
    ...(relation === undefined ? {} : { relation: readRelationId(relation) }),
    ...(flags['remote-unit'] === undefined ? {} : { remoteUnit: flags['remote-unit'] }),
    ...(flags['departing-unit'] === undefined ? {} : { departingUnit: flags['departing-unit'] }),
    ...(secret === undefined ? {} : { secret }),
    ...(revision === undefined ? {} : { revision }),
    ...(storage === undefined ? {} : { storage }),
  };
}

function requireFile([file, ...extra]: readonly string[]): string {
  refuseExtra(extra);
  if (file === undefined) {
    throw new UsageError('no file specified');
  }
  return file;
}

/** Exit by CommandError when the charm differs. */
async function replayFile({ session, args, flags }: Call): Promise<void> {
  const file = requireFile(args);
  const { dispatchesOf, readRecord } = await import('../../record/read-record.ts');
  const { replay } = await import('../../record/replay.ts');
  const record = readRecord(readBytes(resolve(session.io.cwd, file)));
  const unit = flags.unit ?? onlyUnit(dispatchesOf(record).map(({ start }) => start.unit));
  const dispatches = dispatchesOf(record, unit);
  const [first] = dispatches;
  if (first === undefined) {
    throw new CommandError(`the record has no dispatch of unit ${quoted(unit)}`);
  }
  const charm =
    flags.charm === undefined
      ? join(sandboxPaths(session.root).charms, first.start.charm)
      : resolve(session.io.cwd, flags.charm);
  const result = await replay({
    dispatches,
    charm,
    onDispatch: ({ start }) => {
      session.detail(`dispatch ${start.dispatch}: ${start.name}`);
    },
  });
  if (result.divergence !== undefined) {
    const { dispatch, name, what, recorded, replayed } = result.divergence;
    throw new CommandError(
      `dispatch ${dispatch} (${name}) of ${unit} differs at ${what}\n` +
        `  recorded: ${recorded}\n  replayed: ${replayed}`,
    );
  }
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} interrupted ones left out`;
  session.io.out(`${unit}: ${result.replayed} dispatches replayed${skipped}, no difference\n`);
}

function onlyUnit(units: readonly string[]): string {
  const [only, ...others] = new Set(units);
  if (only === undefined) {
    throw new CommandError('the record has no dispatches');
  }
  if (others.length > 0) {
    throw new UsageError(`choose a unit with --unit: ${[only, ...others].join(', ')}`);
  }
  return only;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CommandError(`cannot read ${path}: ${describeError(error)}`);
  }
}
