/** `juju model-config`: the settings of the model. */
import type { ModelConfig } from '../../api.ts';
import { sortedEntries } from '../../go-output/natural-sort.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { isTree } from '../arguments/action-params.ts';
import { readTextFile } from '../arguments/files.ts';
import { choiceFlag, commaFlag, textFlag } from '../arguments/flag-kinds.ts';
import { parseSettings } from '../arguments/settings.ts';
import { parseYaml } from '../arguments/yaml-input.ts';
import { defineCommand } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';

export const modelConfig = defineCommand({
  name: 'model-config',
  usage: '[<key> | <key>=<value> ...]',
  summary: 'Get, set, or reset the configuration of the model.',
  examples: ['juju model-config', 'juju model-config update-status-hook-interval=1m'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    file: textFlag('Path of a YAML file with settings', { placeholder: '<file>' }),
    reset: commaFlag('Set these keys to their defaults', { placeholder: '<key>[,<key>]' }),
  },
  run: async ({ session, positionals, flags }) => {
    const pairs = positionals.filter((word) => word.includes('='));
    const keys = positionals.filter((word) => !word.includes('='));
    const changes = pairs.length > 0 || flags.reset.length > 0 || flags.file !== undefined;
    if (keys.length > 1 || (keys.length === 1 && changes)) {
      throw new UsageError(
        changes
          ? 'cannot set and retrieve values simultaneously'
          : 'can only retrieve a single value, or all values',
      );
    }
    const fromFile = flags.file === undefined ? {} : await readFile(flags.file, session.io);
    const values = { ...fromFile, ...(await parseSettings(pairs, session.io)) };
    const answer = await session.call(
      'model-config',
      changes ? { values, reset: flags.reset } : {},
    );
    if (!changes) {
      deliver(render(answer, keys[0], flags.format), session.io, flags.output);
    }
  },
});

function render(
  answer: ModelConfig,
  key: string | undefined,
  format: 'tabular' | 'yaml' | 'json',
): string {
  if (key !== undefined) {
    const setting = answer[key];
    if (setting === undefined) {
      throw new CommandError(`key ${quoted(key)} not found in model config`);
    }
    return format === 'json' ? formatDocument(setting.value, 'json') : bare(setting.value);
  }
  const entries = sortedEntries(answer);
  return format === 'tabular'
    ? formatTable(
        ['Attribute', 'From', 'Value'],
        entries.map(([name, { source, value }]) => [name, source, bare(value).trimEnd()]),
      )
    : formatDocument(structured(entries, format), format);
}

/** Juju's type has names for YAML only: in JSON the members begin with capitals. */
function structured(
  entries: readonly (readonly [string, ModelConfig[string]])[],
  format: 'yaml' | 'json',
): Readonly<Record<string, Readonly<Record<string, ModelConfig[string]['value']>>>> {
  return Object.fromEntries(
    entries.map(([name, { source, value }]) => [
      name,
      format === 'json' ? { Value: value, Source: source } : { value, source },
    ]),
  );
}

function bare(value: ModelConfig[string]['value']): string {
  return typeof value === 'string' ? `${value}\n` : toYaml(value);
}

async function readFile(file: string, io: CommandIo): Promise<Record<string, string>> {
  const document = await parseYaml(await readTextFile(file, io), file);
  if (!isTree(document)) {
    throw new CommandError(`cannot use ${file} as configuration: it has to be a map`);
  }
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, String(value)]));
}
