/** `juju show-unit`. */

import type { OutputValue } from '../../go-output/values.ts';
import { booleanFlag, formatFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isUnitName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { structuredUnit } from '../unit/structured-unit.ts';

export const showUnit = defineCommand({
  name: 'show-unit',
  usage: '<unit name> [<unit name> ...]',
  summary: 'Display information about a unit, with the data of its relations.',
  examples: ['juju show-unit db/0', 'juju show-unit db/0 --endpoint backup --format json'],
  flags: {
    format: formatFlag(['yaml', 'json']),
    output: outputFlag,
    endpoint: textFlag('Only show relation data of this endpoint', { placeholder: '<endpoint>' }),
    'related-unit': textFlag('Only show relation data of this unit', { placeholder: '<unit>' }),
    app: booleanFlag('Only show application relation data'),
  },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('an unit name must be supplied');
    }
    for (const name of positionals) {
      if (!isUnitName(name)) {
        throw new UsageError(`unit name ${name} not valid`);
      }
    }
    const document: Record<string, OutputValue> = {};
    for (const unit of positionals) {
      document[unit] = structuredUnit(await session.call('show-unit', { unit }), {
        endpoint: flags.endpoint,
        relatedUnit: flags['related-unit'],
        applicationOnly: flags.app,
      });
    }
    deliver(formatDocument(document, flags.format), session.io, flags.output);
  },
});
