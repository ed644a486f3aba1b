/** Growing, shrinking and removing applications. */
import type { RemoveResult } from '../../api.ts';
import { booleanFlag, commaFlag, integerFlag, refusedFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName, isUnitName } from '../arguments/names.ts';
import { defineCommand, type Invocation, refuseExtra } from '../command.ts';
import { quoted, SilentExit, UsageError } from '../errors.ts';

export const addUnit = defineCommand({
  name: 'add-unit',
  usage: '<application name>',
  summary: 'Add units to an application.',
  examples: ['juju add-unit db -n 2', 'juju add-unit db --to 0'],
  flags: {
    'num-units': integerFlag('Number of units to add; 1 unless given', { aliases: ['n'] }),
    to: commaFlag('The machines to put the units on; new ones unless given', {
      placeholder: '<machine>[,<machine>]',
    }),
    'attach-storage': commaFlag('Existing storage to attach to the one unit'),
  },
  run: async ({ session, positionals, flags }) => {
    const [application, ...extra] = positionals;
    if (application === undefined) {
      throw new UsageError('no application specified');
    }
    refuseExtra(extra);
    if (!isApplicationName(application)) {
      throw new UsageError(`invalid application name ${quoted(application)}`);
    }
    const count = flags['num-units'];
    if (count !== undefined && count < 1) {
      throw new UsageError('--num-units must be a positive integer');
    }
    const attachStorage = flags['attach-storage'];
    await session.call('add-unit', {
      application,
      ...(count === undefined ? {} : { count }),
      ...(attachStorage.length === 0 ? {} : { attachStorage }),
      ...(flags.to.length === 0 ? {} : { to: flags.to }),
    });
  },
});

export const REMOVAL_FLAGS = {
  'no-prompt': booleanFlag('Do not ask for confirmation', { aliases: ['y'] }),
  force: booleanFlag('Remove also what is in error or lost: a minute later without its hooks'),
  'no-wait': booleanFlag('With --force: at once, without waiting for hooks'),
  'destroy-storage': booleanFlag('Destroy storage attached to the units instead of detaching it'),
  'dry-run': booleanFlag('Print what would be removed and change nothing'),
} as const;

type Removal = Invocation<typeof REMOVAL_FLAGS>;

export const removeUnit = defineCommand({
  name: 'remove-unit',
  usage: '<unit> [<unit> ...]',
  summary: 'Remove units from the model.',
  examples: ['juju remove-unit db/1 --no-prompt'],
  flags: { ...REMOVAL_FLAGS, 'num-units': refusedFlag('machine charms name their units') },
  run: async (call) => {
    const units = call.positionals;
    if (units.length === 0) {
      throw new UsageError('no units specified');
    }
    for (const unit of units) {
      if (!isUnitName(unit)) {
        throw new UsageError(`invalid unit name ${quoted(unit)}`);
      }
    }
    await remove(call, 'unit', async (dryRun) =>
      call.session.call('remove-unit', { units, ...choices(call), dryRun }),
    );
  },
});

export const removeApplication = defineCommand({
  name: 'remove-application',
  usage: '<application> [<application> ...]',
  summary: 'Remove applications from the model.',
  examples: ['juju remove-application db --no-prompt'],
  flags: REMOVAL_FLAGS,
  run: async (call) => {
    const applications = call.positionals;
    if (applications.length === 0) {
      throw new UsageError('no application specified');
    }
    for (const application of applications) {
      if (!isApplicationName(application)) {
        throw new UsageError(`invalid application name ${quoted(application)}`);
      }
    }
    await remove(call, 'application', async (dryRun) =>
      call.session.call('remove-application', { applications, ...choices(call), dryRun }),
    );
  },
});

function choices({ flags }: Removal) {
  return { ...forcing(flags), destroyStorage: flags['destroy-storage'] };
}

/** What the flags say about force, as the daemon takes it. */
export function forcing(flags: Removal['flags']) {
  return { force: flags.force, noWait: flags['no-wait'] };
}

/** Without --no-prompt, what would happen is shown and confirmed first. */
export async function remove(
  { session, flags, given }: Removal,
  kind: string,
  request: (dryRun: boolean) => Promise<readonly RemoveResult[]>,
): Promise<void> {
  if (flags['no-wait'] && !given.has('force')) {
    throw new UsageError('--no-wait without --force not valid');
  }
  if (flags['dry-run']) {
    report(await request(true), kind, session.io);
    return;
  }
  if (!flags['no-prompt']) {
    session.io.err('WARNING This command will perform the following actions:\n');
    report(await request(true), kind, session.io);
    session.io.out('\n');
    await session.confirm();
    failOnErrors(await request(false), kind, session.io);
    return;
  }
  report(await request(false), kind, session.io);
}

type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void };

function report(results: readonly RemoveResult[], kind: string, io: Output): void {
  for (const result of results.filter(({ error }) => error === undefined)) {
    io.out(`will remove ${kind} ${result.name}\n`);
    for (const unit of result.units.filter((one) => one !== result.name)) {
      io.out(`- will remove unit ${unit}\n`);
    }
    for (const storage of result.destroyedStorage ?? []) {
      io.out(`- will remove storage ${storage}\n`);
    }
    for (const storage of result.detachedStorage ?? []) {
      io.out(`- will detach storage ${storage}\n`);
    }
  }
  failOnErrors(results, kind, io);
}

function failOnErrors(results: readonly RemoveResult[], kind: string, io: Output): void {
  const failed = results.filter(({ error }) => error !== undefined);
  for (const { name, error } of failed) {
    io.err(`ERROR removing ${kind} ${name} failed: ${error}\n`);
  }
  if (failed.length > 0) {
    throw new SilentExit(1);
  }
}
