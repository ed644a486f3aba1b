/** `juju debug-log`. */
import {
  booleanFlag,
  formatFlag,
  integerFlag,
  listFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import { unitTag } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';
import { formatLogLine, LOG_LEVELS } from '../log/log-line.ts';
import type { Session } from '../session.ts';

export const debugLog = defineCommand({
  name: 'debug-log',
  usage: '',
  summary: 'Display log messages of the model.',
  details:
    'Shows the last ten lines and then what comes, until interrupted; when the output is not a\n' +
    'terminal it ends after what is there, unless --tail is given.\n' +
    '--include and --exclude take unit-db-0, db/0, db or unit-db-*.',
  examples: [
    'juju debug-log',
    'juju debug-log --replay --no-tail',
    'juju debug-log -n 100 --include db/0 --level WARNING',
  ],
  flags: {
    include: listFlag('Only show messages of these entities', { aliases: ['i'] }),
    exclude: listFlag('Do not show messages of these entities', { aliases: ['x'] }),
    'include-module': listFlag('Only show messages of these modules'),
    'exclude-module': listFlag('Do not show messages of these modules'),
    level: textFlag(`Least level to show (${LOG_LEVELS.join('|')})`, { aliases: ['l'] }),
    lines: integerFlag('Show this many lines of the past first; 10 unless given', {
      aliases: ['n'],
    }),
    limit: integerFlag('Show this many of the most recent lines and end'),
    replay: booleanFlag('Show everything from the beginning'),
    tail: booleanFlag('Wait for new messages'),
    'no-tail': booleanFlag('End after what is there'),
    date: booleanFlag('Show dates as well as times'),
    ms: booleanFlag('Show times in milliseconds'),
    utc: booleanFlag('Show times in UTC'),
    color: booleanFlag('Accepted for compatibility; changes nothing'),
    location: booleanFlag('Accepted for compatibility; charms tell no location'),
    firehose: booleanFlag('Accepted for compatibility; changes nothing'),
    format: formatFlag(['text']),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    if (flags.tail && flags['no-tail']) {
      throw new UsageError('setting --tail and --no-tail not valid');
    }
    const level = checkLevel(flags.level);
    const limited = (flags.limit ?? 0) > 0;
    const follow = flags.tail || (!flags['no-tail'] && !limited && session.io.isTerminal);
    const lines = session.stream('debug-log', {
      replay: flags.replay,
      follow,
      include: flags.include.map(entityOf),
      exclude: flags.exclude.map(entityOf),
      includeModules: flags['include-module'],
      excludeModules: flags['exclude-module'],
      ...past(flags),
      ...(level === undefined ? {} : { level }),
    });
    await print(session, lines, { utc: flags.utc, date: flags.date, milliseconds: flags.ms });
  },
});

/** How far back to begin: `--limit` counts from the end as `-n` does, and nothing follows. */
function past(flags: { readonly lines: number | undefined; readonly limit: number | undefined }): {
  readonly lines?: number;
  readonly limit?: number;
} {
  const limit = flags.limit === 0 ? undefined : flags.limit;
  const lines = flags.lines ?? limit;
  return { ...(lines === undefined ? {} : { lines }), ...(limit === undefined ? {} : { limit }) };
}

type Lines = ReturnType<Session['stream']>;

async function print(
  { io }: Session,
  lines: Lines,
  format: Parameters<typeof formatLogLine>[1],
): Promise<void> {
  for await (const line of lines) {
    if ('entity' in line) {
      io.out(formatLogLine(line, format));
    }
  }
}

/** `db/0` is `unit-db-0`, `db` all its units. */
function entityOf(name: string): string {
  if (name.includes('/')) {
    return unitTag(name);
  }
  return /^(?:unit|machine|controller|application)-|\*/.test(name) ? name : `unit-${name}-*`;
}

function checkLevel(level: string | undefined): string | undefined {
  const wanted = level?.toUpperCase();
  if (wanted !== undefined && !LOG_LEVELS.some((name) => name === wanted)) {
    throw new UsageError(
      `level value ${quoted(level ?? '')} is not one of ${LOG_LEVELS.map(quoted).join(', ')}`,
    );
  }
  return wanted;
}
