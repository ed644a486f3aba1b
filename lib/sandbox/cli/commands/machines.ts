/** `juju machines` and `juju show-machine`: the machines that this host plays. */
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
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    utc: booleanFlag('Display time as UTC'),
    color: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const status = await session.call('status', {});
    const text =
      flags.format === 'tabular'
        ? machineTable(status)
        : formatDocument({ machines: structuredMachines(status, flags) }, flags.format);
    deliver(text, session.io, flags.output);
  },
});

export const showMachine = defineCommand({
  name: 'show-machine',
  usage: '<machine ID> ...',
  summary: "Show a machine's status.",
  flags: {
    format: choiceFlag(['yaml', 'json', 'tabular'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    utc: booleanFlag('Display time as UTC'),
    color: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    const status = await session.call('status', {});
    const wanted = {
      ...status,
      machines: status.machines.filter(
        ({ id }) => positionals.length === 0 || positionals.includes(id),
      ),
    };
    const text =
      flags.format === 'tabular'
        ? machineTable(wanted)
        : formatDocument({ machines: structuredMachines(wanted, flags) }, flags.format);
    deliver(text, session.io, flags.output);
  },
});
