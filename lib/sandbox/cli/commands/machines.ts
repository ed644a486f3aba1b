/** `juju machines`, `show-machine`: the machines that this host plays. */
import type { FullStatus } from '../../api-status.ts';
import { booleanFlag, choiceFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { structuredMachines } from '../status/structured.ts';
import { machineTable } from '../status/tabular.ts';

export const machines = defineCommand({
  name: 'machines',
  aliases: ['list-machines'],
  usage: '',
  summary: 'List the machines in the model.',
  examples: ['juju machines', 'juju machines --format json'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    utc: booleanFlag('Display time as UTC'),
    color: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const status = await session.call('status', {});
    deliver(render(status, flags), session.io, flags.output);
  },
});

export const showMachine = defineCommand({
  name: 'show-machine',
  usage: '<machine number> ...',
  summary: 'Show the status of machines.',
  examples: ['juju show-machine 0', 'juju show-machine 1 2 --format json'],
  flags: {
    format: choiceFlag(['yaml', 'tabular', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    utc: booleanFlag('Display time as UTC'),
    color: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    const status = await session.call('status', {});
    const asked = positionals.length === 0 ? undefined : new Set(positionals);
    const machinesShown = status.machines.filter(({ id }) => asked?.has(id) ?? true);
    const text = render({ ...status, machines: machinesShown }, flags);
    deliver(text, session.io, flags.output);
  },
});

function render(
  status: FullStatus,
  flags: { readonly format: 'tabular' | 'yaml' | 'json'; readonly utc: boolean },
): string {
  if (flags.format === 'tabular') {
    return machineTable(status);
  }
  const document = { model: status.model.name, machines: structuredMachines(status, flags) };
  return formatDocument(document, flags.format);
}
