/** `juju actions` and `juju show-action`. */
import type { ActionSpec } from '../../api.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { sortKeys } from '../../go-output/values.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { booleanFlag, choiceFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';

export const actions = defineCommand({
  name: 'actions',
  aliases: ['list-actions'],
  usage: '<application name>',
  summary: 'List actions defined for an application.',
  examples: ['juju actions db', 'juju actions db --schema --format json'],
  flags: {
    format: choiceFlag(
      ['default', 'tabular', 'yaml', 'json'],
      'Specify output format (default|json|tabular|yaml)',
    ),
    output: outputFlag,
    schema: booleanFlag('Display the full action schema'),
  },
  run: async ({ session, positionals, flags }) => {
    const [application, ...extra] = positionals;
    checkApplication(application);
    refuseExtra(extra);
    if (flags.schema && flags.format === 'tabular') {
      throw new UsageError('full schema not compatible with tabular output');
    }
    const specs = await session.call('actions', { application });
    if (specs.length === 0) {
      session.info(`No actions defined for ${application}.`);
      return;
    }
    deliver(render(specs, flags.format, flags.schema), session.io, flags.output);
  },
});

function render(
  specs: readonly ActionSpec[],
  format: 'default' | 'tabular' | 'yaml' | 'json',
  withSchema: boolean,
): string {
  const sorted = specs.toSorted((a, b) => compareNaturally(a.name, b.name));
  const settled = format === 'default' ? (withSchema ? 'yaml' : 'tabular') : format;
  if (settled === 'tabular') {
    return formatTable(
      ['Action', 'Description'],
      sorted.map((spec) => [spec.name, description(spec).split('\n')[0] ?? '']),
    );
  }
  const document = Object.fromEntries(
    sorted.map((spec) => [spec.name, withSchema ? sortKeys(spec.schema) : description(spec)]),
  );
  return formatDocument(document, settled);
}

function description({ description: text }: ActionSpec): string {
  return text === undefined || text === '' ? 'No description' : text;
}

export const showAction = defineCommand({
  name: 'show-action',
  usage: '<application name> <action name>',
  summary: 'Show detailed information about an action.',
  examples: ['juju show-action db create-backup'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [application, name, ...extra] = positionals;
    checkApplication(application);
    if (name === undefined) {
      throw new UsageError('no action name specified');
    }
    refuseExtra(extra);
    const specs = await session.call('actions', { application });
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      throw new CommandError(`unknown action ${quoted(name)}`);
    }
    const properties = spec.schema['properties'] ?? {};
    const parameters =
      Object.keys(properties).length === 0
        ? 'This action does not take any parameters\n'
        : `Arguments\n${toYaml(sortKeys(properties))}`;
    session.io.out(`${description(spec)}\n\n${parameters}`);
  },
});

function checkApplication(name: string | undefined): asserts name is string {
  if (name === undefined) {
    throw new UsageError('no application name specified');
  }
  if (!isApplicationName(name)) {
    throw new UsageError(`invalid application name ${quoted(name)}`);
  }
}
