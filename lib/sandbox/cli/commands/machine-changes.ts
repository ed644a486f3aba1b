/** `juju add-machine`, `remove-machine`: machines without units, for units to come. */
import { booleanFlag, integerFlag, refusedFlag, textFlag } from '../arguments/flag-kinds.ts';
import { defineCommand } from '../command.ts';
import { quoted, UsageError } from '../errors.ts';
import { forcing, REMOVAL_FLAGS, remove } from './units.ts';

const PLAYED = 'the sandbox plays all machines on this host';

export const addMachine = defineCommand({
  name: 'add-machine',
  usage: '',
  summary: 'Provision a new machine.',
  examples: ['juju add-machine', 'juju add-machine -n 2 --base ubuntu@22.04'],
  flags: {
    n: integerFlag('The number of machines to add; 1 unless given'),
    base: textFlag('The base of the machine, for example ubuntu@22.04', { placeholder: '<base>' }),
    constraints: refusedFlag(PLAYED),
    disks: refusedFlag(PLAYED),
    'public-key': refusedFlag(PLAYED),
    'private-key': refusedFlag(PLAYED),
  },
  run: async ({ session, positionals, flags }) => {
    const [place] = positionals;
    if (place !== undefined) {
      throw new UsageError(
        `cannot add a machine at ${quoted(place)}: ${PLAYED}, without containers`,
      );
    }
    const { machines } = await session.call('add-machine', {
      ...(flags.n === undefined ? {} : { count: flags.n }),
      ...(flags.base === undefined ? {} : { base: flags.base }),
    });
    for (const machine of machines) {
      session.info(`created machine ${machine}`);
    }
  },
});

export const removeMachine = defineCommand({
  name: 'remove-machine',
  usage: '<machine number> ...',
  summary: 'Remove machines from the model.',
  examples: ['juju remove-machine 5 --no-prompt', 'juju remove-machine 6 --force --no-prompt'],
  flags: {
    ...REMOVAL_FLAGS,
    'keep-instance': booleanFlag('Accepted for compatibility; there is nothing to keep'),
  },
  run: async (call) => {
    const machines = call.positionals;
    if (machines.length === 0) {
      throw new UsageError('no machines specified');
    }
    for (const machine of machines) {
      if (!/^\d+$/.test(machine)) {
        throw new UsageError(`invalid machine id ${quoted(machine)}`);
      }
    }
    await remove(call, 'machine', async (dryRun) =>
      call.session.call('remove-machine', { machines, ...forcing(call.flags), dryRun }),
    );
  },
});
