/** Constraints of the model and of applications: kept and shown; this host is what it is. */
import type { JsonRecord } from '../../api.ts';
import { sortKeys } from '../../go-output/values.ts';
import { formatConstraints, parseConstraints } from '../arguments/constraints.ts';
import { choiceFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';

const SHOWING = {
  format: choiceFlag(
    ['constraints', 'yaml', 'json'],
    'Specify output format (constraints|json|yaml)',
  ),
  output: outputFlag,
} as const;

const DETAILS = 'Constraints are checked, kept and shown; they change nothing on this host.';

export const constraints = defineCommand({
  name: 'constraints',
  aliases: ['get-constraints'],
  usage: '<application>',
  summary: 'Display the constraints of an application.',
  examples: ['juju constraints db'],
  flags: SHOWING,
  run: async ({ session, positionals, flags }) => {
    const [application, ...extra] = positionals;
    if (application === undefined) {
      throw new UsageError('no application name specified');
    }
    refuseExtra(extra);
    const found = await session.call('constraints', { application });
    deliver(render(found, flags.format), session.io, flags.output);
  },
});

export const setConstraints = defineCommand({
  name: 'set-constraints',
  usage: '<application> <constraint>=<value> ...',
  summary: 'Set the constraints of an application.',
  details: DETAILS,
  examples: ['juju set-constraints db mem=8G cores=4'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [application, ...pairs] = positionals;
    if (application === undefined || application.includes('=')) {
      throw new UsageError('no application name specified');
    }
    await session.call('constraints', { application, values: parseConstraints(pairs) });
  },
});

export const modelConstraints = defineCommand({
  name: 'model-constraints',
  aliases: ['get-model-constraints'],
  usage: '',
  summary: 'Display the constraints of the model.',
  examples: ['juju model-constraints'],
  flags: SHOWING,
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    deliver(render(await session.call('constraints', {}), flags.format), session.io, flags.output);
  },
});

export const setModelConstraints = defineCommand({
  name: 'set-model-constraints',
  usage: '<constraint>=<value> ...',
  summary: 'Set the constraints of the model.',
  details: DETAILS,
  examples: ['juju set-model-constraints mem=4G'],
  flags: {},
  run: async ({ session, positionals }) => {
    await session.call('constraints', { values: parseConstraints(positionals) });
  },
});

function render(found: JsonRecord, format: 'constraints' | 'yaml' | 'json'): string {
  return format === 'constraints'
    ? `${formatConstraints(found)}\n`
    : formatDocument(sortKeys(found), format);
}
