/** `juju resolved`: goes on after a failed hook. */
import { booleanFlag } from '../arguments/flag-kinds.ts';
import { isUnitName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';

export const resolved = defineCommand({
  name: 'resolved',
  aliases: ['resolve'],
  usage: '[<unit> ...]',
  summary: 'Mark unit errors resolved and run the failed hooks again.',
  examples: ['juju resolved db/0', 'juju resolved --all --no-retry'],
  flags: {
    all: booleanFlag('Every unit in error'),
    'no-retry': booleanFlag('Go on without running the failed hook again'),
  },
  run: async ({ session, positionals, flags }) => {
    if (flags.all && positionals.length > 0) {
      throw new UsageError('specifying unit names with --all is not supported');
    }
    if (!flags.all && positionals.length === 0) {
      throw new UsageError('no unit specified');
    }
    for (const unit of positionals) {
      if (!isUnitName(unit)) {
        throw new UsageError(`unit name ${quoted(unit)} not valid`);
      }
    }
    await session.call('resolved', {
      ...(flags.all ? { all: true } : { units: positionals }),
      noRetry: flags['no-retry'],
    });
  },
});
