/** `juju add-storage`, `attach-storage`, `detach-storage`, `remove-storage`. */
import type { StorageResult } from '../../api-storage.ts';
import { booleanFlag } from '../arguments/flag-kinds.ts';
import { isUnitName } from '../arguments/names.ts';
import { readDirectives } from '../arguments/storage-directives.ts';
import { defineCommand } from '../command.ts';
import { quoted, SilentExit, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';

export const addStorage = defineCommand({
  name: 'add-storage',
  usage: '<unit> <storage directive> ...',
  summary: 'Add storage to a unit after it has been deployed.',
  details: 'A directive is name[=[pool,][count,][size]], where name is that of the charm.',
  examples: ['juju add-storage db/0 logs=1G', 'juju add-storage db/0 logs=lxd,2,10G'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [unit, ...args] = positionals;
    if (unit === undefined || args.length === 0) {
      throw new UsageError('add-storage requires a unit and a storage directive');
    }
    if (!isUnitName(unit)) {
      throw new UsageError(`unit name ${quoted(unit)} not valid`);
    }
    const directives = readDirectives(args, { valueRequired: false });
    const results = await session.call('add-storage', { unit, directives });
    for (const id of results.flatMap(({ storage }) => storage)) {
      session.info(`added storage ${id} to ${unit}`);
    }
    const failed = results.filter(({ error }) => error !== undefined);
    for (const { name, error } of failed) {
      session.io.err(`failed to add storage ${quoted(name)} to ${unit}: ${error}\n`);
    }
    endWith(failed);
  },
});

export const attachStorage = defineCommand({
  name: 'attach-storage',
  usage: '<unit> <storage> [<storage> ...]',
  summary: 'Attach existing storage to a unit.',
  examples: ['juju attach-storage db/1 data/0'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [unit, ...storage] = positionals;
    if (unit === undefined || storage.length === 0) {
      throw new UsageError('attach-storage requires a unit ID and at least one storage ID');
    }
    report(session, await session.call('attach-storage', { unit, storage }), {
      done: (id) => `attaching ${id} to ${unit}`,
      failed: (id) => `failed to attach ${id} to ${unit}`,
    });
  },
});

export const detachStorage = defineCommand({
  name: 'detach-storage',
  usage: '<storage> [<storage> ...]',
  summary: 'Detach storage from units.',
  details: 'The storage stays in the model, with its data, until it is removed.',
  examples: ['juju detach-storage data/0'],
  flags: {
    force: booleanFlag('Detach even what the charm requires'),
    'no-wait': booleanFlag('Accepted with --force; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('detach-storage requires at least one storage ID');
    }
    requireForce(flags);
    const params = { storage: positionals, force: flags.force };
    report(session, await session.call('detach-storage', params), {
      done: (id) => `detaching ${id}`,
      failed: (id) => `failed to detach ${id}`,
    });
  },
});

export const removeStorage = defineCommand({
  name: 'remove-storage',
  usage: '<storage> [<storage> ...]',
  summary: 'Remove storage from the model, with its data.',
  examples: ['juju remove-storage data/0', 'juju remove-storage --force data/0'],
  flags: {
    force: booleanFlag('Remove storage even if it is currently attached'),
    'no-destroy': booleanFlag('Remove the storage without destroying it; refused'),
    'no-wait': booleanFlag('Accepted with --force; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('remove-storage requires at least one storage ID');
    }
    requireForce(flags);
    const results = await session.call('remove-storage', {
      storage: positionals,
      force: flags.force,
      release: flags['no-destroy'],
    });
    report(session, results, {
      done: (id) => `removing ${id}`,
      failed: (id) => `failed to remove ${id}`,
    });
  },
});

function requireForce(flags: { readonly force: boolean; readonly 'no-wait': boolean }): void {
  if (flags['no-wait'] && !flags.force) {
    throw new UsageError('--no-wait without --force not valid');
  }
}

function report(
  session: Session,
  results: readonly StorageResult[],
  texts: Readonly<Record<'done' | 'failed', (id: string) => string>>,
): void {
  const failed = results.filter(({ error }) => error !== undefined);
  for (const { storage } of results.filter(({ error }) => error === undefined)) {
    session.info(texts.done(storage));
  }
  for (const { storage, error } of failed) {
    session.info(`${texts.failed(storage)}: ${error}`);
  }
  if (failed.some(({ attached }) => attached)) {
    session.info(
      '\nUse the --force option to remove attached storage, or use\n"juju detach-storage" to explicitly detach the storage\nbefore removing.',
    );
  }
  endWith(failed);
}

function endWith(failed: readonly unknown[]): void {
  if (failed.length > 0) {
    throw new SilentExit(1);
  }
}
