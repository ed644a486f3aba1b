/** `juju show-application`. */
import type { ApplicationStatus } from '../../api-status.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { formatFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { shownBase } from '../status/base.ts';

export const showApplication = defineCommand({
  name: 'show-application',
  usage: '<application name> [<application name> ...]',
  summary: 'Display information about an application.',
  examples: ['juju show-application db'],
  flags: { format: formatFlag(['yaml', 'json']), output: outputFlag },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('an application name must be supplied');
    }
    const wrong = positionals.find((name) => !isApplicationName(name));
    if (wrong !== undefined) {
      throw new UsageError(`application name ${wrong} not valid`);
    }
    const { applications } = await session.call('status', {});
    const document: Record<string, OutputValue> = {};
    for (const name of positionals) {
      const found = applications.find((application) => application.name === name);
      if (found === undefined) {
        throw new CommandError(`application ${quoted(name)} not found`);
      }
      document[name] = structured(found);
    }
    deliver(formatDocument(document, flags.format), session.io, flags.output);
  },
});

function structured(application: ApplicationStatus): OutputValue {
  return {
    charm: application.charm.name,
    base: shownBase(application.base),
    principal: application.subordinateTo.length === 0,
    exposed: application.exposed,
    remote: false,
    life: application.life ?? 'alive',
    'endpoint-bindings': Object.fromEntries(
      ['', ...application.endpoints.toSorted(compareNaturally)].map((name) => [name, 'alpha']),
    ),
    units: Object.fromEntries(
      application.units
        .toSorted((a, b) => compareNaturally(a.name, b.name))
        .map((unit) => [
          unit.name,
          {
            'workload-version': application.workloadVersion,
            machine: unit.machine,
            'opened-ports': unit.ports,
            'public-address': unit.address,
            charm: application.charm.url,
            leader: unit.leader,
            life: unit.life ?? 'alive',
          },
        ]),
    ),
  };
}
