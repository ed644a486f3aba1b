/** `juju resources`, `juju attach-resource`. */
import type { ApplicationResources, ResourceInfo } from '../../api-resources.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { booleanFlag, choiceFlag } from '../arguments/flag-kinds.ts';
import { applicationOf, isApplicationName, isUnitName } from '../arguments/names.ts';
import { parseResource } from '../arguments/resources.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { detailsDocument, resourceDocument } from '../resources/structured-resource.ts';
import {
  applicationTable,
  detailsTable,
  unitDetailsTable,
  unitTable,
} from '../resources/tables.ts';

export const resources = defineCommand({
  name: 'resources',
  aliases: ['list-resources'],
  usage: '<application or unit>',
  summary: 'Show the resources for an application or unit.',
  examples: ['juju resources db', 'juju resources db/0 --details'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    details: booleanFlag('Show which revision each unit has'),
  },
  run: async ({ session, positionals, flags }) => {
    const [target, ...extra] = positionals;
    if (target === undefined) {
      throw new UsageError('missing application or unit name');
    }
    refuseExtra(extra);
    const unit = isUnitName(target) ? target : undefined;
    if (unit === undefined && !isApplicationName(target)) {
      throw new CommandError(`${quoted(target)} is neither an application nor a unit`);
    }
    const application = applicationOf(target);
    const all = inOrder(await session.call('resources', { application }));
    if (all.resources.length === 0) {
      session.info('No resources to display.');
      return;
    }
    const view = { application, unit, all, details: flags.details };
    const text =
      flags.format === 'tabular' ? table(view) : formatDocument(document(view), flags.format);
    deliver(text, session.io, flags.output);
  },
});

interface View {
  readonly application: string;
  readonly unit: string | undefined;
  readonly all: ApplicationResources;
  readonly details: boolean;
}

function inOrder({ resources: all, units }: ApplicationResources): ApplicationResources {
  return { resources: all.toSorted((a, b) => compareNaturally(a.name, b.name)), units };
}

function table({ unit, all, details }: View): string {
  if (unit === undefined) {
    return details ? detailsTable(all) : applicationTable(all.resources);
  }
  return details ? unitDetailsTable(all, unit) : unitTable(ofUnit(all, unit));
}

function document({ application, unit, all, details }: View) {
  if (details) {
    const listed = detailsDocument(application, all, unit);
    return unit === undefined ? { resources: listed } : listed;
  }
  const shown = unit === undefined ? all.resources : ofUnit(all, unit);
  const listed = shown.map((one) => resourceDocument(application, one));
  return unit === undefined ? { resources: listed } : listed;
}

/** What the unit has a copy of; the rest as if nothing had been uploaded. */
function ofUnit({ resources: all, units }: ApplicationResources, unit: string): ResourceInfo[] {
  return all.map(({ upload, ...one }) =>
    upload !== undefined && units[unit]?.[one.name] === upload.revision ? { ...one, upload } : one,
  );
}

export const attachResource = defineCommand({
  name: 'attach-resource',
  usage: '<application> <resource name>=<path>',
  summary: 'Update a resource for an application.',
  details: 'Units hear of it by upgrade-charm.',
  examples: ['juju attach-resource db tool=./tool.tar.gz'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [application, resource, ...extra] = positionals;
    if (application === undefined) {
      throw new UsageError('missing application name');
    }
    if (resource === undefined) {
      throw new UsageError('no resource specified');
    }
    if (!isApplicationName(application)) {
      throw new UsageError(`application ${quoted(application)} not valid`);
    }
    refuseExtra(extra);
    const [name, path] = parseResource(resource, session.io);
    await session.call('attach-resource', { application, name, path });
  },
});
