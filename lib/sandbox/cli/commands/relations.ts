/** `juju integrate` and `juju remove-relation`. */
import { booleanFlag, refusedFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';

export const integrate = defineCommand({
  name: 'integrate',
  aliases: ['relate'],
  usage: '<application>[:<endpoint>] <application>[:<endpoint>]',
  summary: 'Integrate two applications.',
  examples: ['juju integrate wordpress mysql', 'juju integrate wordpress:db mysql:server'],
  flags: { via: refusedFlag('the sandbox has one model') },
  run: async ({ session, positionals }) => {
    await session.call('integrate', { endpoints: twoEndpoints(positionals) });
  },
});

export const removeRelation = defineCommand({
  name: 'remove-relation',
  usage: '<application>[:<endpoint>] <application>[:<endpoint>] | <relation id>',
  summary: 'Remove the relation between two applications.',
  examples: ['juju remove-relation wordpress mysql', 'juju remove-relation 4'],
  flags: { force: booleanFlag('Remove the relation even when a unit does not take part') },
  run: async ({ session, positionals, flags }) => {
    const [first] = positionals;
    const target =
      positionals.length === 1 && first !== undefined && /^\d+$/.test(first)
        ? { id: Number(first) }
        : { endpoints: twoEndpoints(positionals) };
    await session.call('remove-relation', { ...target, ...(flags.force ? { force: true } : {}) });
  },
});

function twoEndpoints(positionals: readonly string[]): readonly string[] {
  if (positionals.length !== 2) {
    throw new UsageError('a relation must involve two applications');
  }
  for (const endpoint of positionals) {
    const [application = '', name, ...rest] = endpoint.split(':');
    if (!isApplicationName(application) || name === '' || rest.length > 0) {
      throw new UsageError(`endpoint ${quoted(endpoint)} not valid`);
    }
  }
  return positionals;
}
