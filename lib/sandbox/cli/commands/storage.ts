/** `juju storage`, `juju show-storage`, `juju storage-pools`. */
import type { StorageInfo } from '../../api-storage.ts';
import type { OutputValue } from '../../go-output/values.ts';
import { booleanFlag, choiceFlag, commaFlag, formatFlag } from '../arguments/flag-kinds.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';
import { filesystemsById, storageById, structuredStorage } from '../storage/structured-storage.ts';
import { filesystemTable, storageTable } from '../storage/tables.ts';

const STORAGE_ID = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*\/\d+$/;
const LOCAL = { utc: false };

export const storage = defineCommand({
  name: 'storage',
  aliases: ['list-storage'],
  usage: '[<filesystem id> ...]',
  summary: 'List storage details.',
  examples: ['juju storage', 'juju storage --filesystem', 'juju storage --format=yaml'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    filesystem: booleanFlag('List filesystem storage'),
    volume: booleanFlag('List volume storage; the sandbox has none'),
  },
  run: async ({ session, positionals, flags }) => {
    if (flags.filesystem && flags.volume) {
      throw new UsageError('--filesystem and --volume can not be used together');
    }
    if (positionals.length > 0 && !flags.filesystem && !flags.volume) {
      throw new UsageError('specifying IDs only supported with --filesystem and --volume options');
    }
    const all = await session.call('storage', {});
    const shown = flags.volume ? [] : all.filter((one) => isAskedFor(one, positionals));
    if (shown.length === 0 && flags.format === 'tabular') {
      session.info('No storage to display.');
      return;
    }
    const text =
      flags.format === 'tabular'
        ? table(shown, flags.filesystem)
        : formatDocument(document(shown, flags.filesystem), flags.format);
    deliver(text, session.io, flags.output);
  },
});

function isAskedFor({ attachment, filesystem }: StorageInfo, ids: readonly string[]): boolean {
  return (
    ids.length === 0 || ids.includes(filesystem) || ids.includes(attachment?.machine ?? 'none')
  );
}

function table(shown: readonly StorageInfo[], asFilesystems: boolean): string {
  return asFilesystems ? filesystemTable(shown) : storageTable(shown);
}

function document(shown: readonly StorageInfo[], asFilesystems: boolean): OutputValue {
  if (shown.length === 0) {
    return {};
  }
  return asFilesystems
    ? { filesystems: filesystemsById(shown, LOCAL) }
    : structuredStorage(shown, LOCAL);
}

export const showStorage = defineCommand({
  name: 'show-storage',
  usage: '<storage ID> [<storage ID> ...]',
  summary: 'Show storage instance information.',
  examples: ['juju show-storage data/0'],
  flags: { format: formatFlag(['yaml', 'json']), output: outputFlag },
  run: async ({ session, positionals, flags }) => {
    if (positionals.length === 0) {
      throw new UsageError('must specify storage id(s)');
    }
    const invalid = positionals.find((id) => !STORAGE_ID.test(id));
    if (invalid !== undefined) {
      throw new CommandError(`invalid storage id ${invalid}`);
    }
    const all = await session.call('storage', {});
    const missing = positionals.filter((id) => !all.some((one) => one.id === id));
    if (missing.length > 0) {
      throw new CommandError(
        missing.map((id) => `storage instance ${JSON.stringify(id)} not found`).join('\n'),
      );
    }
    const shown = all.filter(({ id }) => positionals.includes(id));
    deliver(formatDocument(storageById(shown, LOCAL), flags.format), session.io, flags.output);
  },
});

export const storagePools = defineCommand({
  name: 'storage-pools',
  aliases: ['list-storage-pools'],
  usage: '',
  summary: 'List storage pools.',
  details:
    'Both pools are directories on this host. Storage of "rootfs" is part of the machine of its\n' +
    'unit and goes with it; storage of "lxd" stays when its unit goes.',
  examples: ['juju storage-pools'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    name: commaFlag('Only show pools with these names'),
    provider: commaFlag('Only show pools of these provider types'),
  },
  run: async ({ session, flags }) => {
    const pools = (await session.call('storage-pools', {})).filter(
      ({ name, provider }) => isIn(flags.name, name) && isIn(flags.provider, provider),
    );
    if (pools.length === 0) {
      session.info('No storage pools to display.');
      return;
    }
    const text =
      flags.format === 'tabular'
        ? formatTable(
            ['Name', 'Provider', 'Attributes'],
            pools.map(({ name, provider }) => [name, provider, '']),
          )
        : formatDocument(
            Object.fromEntries(pools.map(({ name, provider }) => [name, { provider }])),
            flags.format,
          );
    deliver(text, session.io, flags.output);
  },
});

function isIn(wanted: readonly string[], value: string): boolean {
  return wanted.length === 0 || wanted.includes(value);
}
