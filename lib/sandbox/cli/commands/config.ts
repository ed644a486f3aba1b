/** `juju config`: all options, one, or changes to them. */
import type { JsonRecord, JsonValue } from '../../api.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { isTree } from '../arguments/action-params.ts';
import { readTextFile } from '../arguments/files.ts';
import { commaFlag, formatFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName } from '../arguments/names.ts';
import { parseSettings } from '../arguments/settings.ts';
import { parseYaml } from '../arguments/yaml-input.ts';
import { defineCommand } from '../command.ts';
import { configValue, structuredConfig } from '../config/structured-config.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { CommandIo } from '../io.ts';
import { toJson } from '../output/json.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';

export const config = defineCommand({
  name: 'config',
  usage: '<application name> [<key> | <key>=<value> ...]',
  summary: "Get, set, or reset an application's configuration.",
  details: 'A value @path is read from a file. --file takes {application: {key: value}}.',
  examples: [
    'juju config db',
    'juju config db port',
    'juju config db port=5433 ca=@./ca.pem',
    'juju config db --reset port',
  ],
  flags: {
    format: formatFlag(['yaml', 'json']),
    output: outputFlag,
    color: textFlag('Accepted for compatibility; changes nothing'),
    file: textFlag('Path of a YAML file with settings; - for standard input', {
      placeholder: '<file>',
    }),
    reset: commaFlag('Set these options to their defaults', { placeholder: '<key>[,<key>]' }),
  },
  run: async ({ session, positionals, flags, given }) => {
    const [application, ...words] = positionals;
    if (application === undefined) {
      throw new UsageError('no application name specified');
    }
    if (!isApplicationName(application)) {
      throw new UsageError(`invalid application name ${quoted(application)}`);
    }
    const wish = understand(words, { ...flags, formatted: given.has('format') });
    if (wish.kind === 'set') {
      const file =
        wish.file === undefined ? {} : await readSettings(wish.file, application, session.io);
      const values = { ...file, ...(await parseSettings(wish.pairs, session.io)) };
      await session.call('set-config', { application, values, reset: flags.reset });
      return;
    }
    const answer = await session.call('get-config', { application });
    if (wish.kind === 'all') {
      deliver(formatDocument(structuredConfig(answer), flags.format), session.io, flags.output);
      return;
    }
    const value = configValue(answer, wish.key);
    if (value === undefined) {
      throw new CommandError(
        `key ${quoted(wish.key)} not found in ${quoted(application)} application config or charm settings.`,
      );
    }
    deliver(
      wish.formatted && flags.format === 'json' ? toJson(value) : bare(value),
      session.io,
      flags.output,
    );
  },
});

type Wish =
  | { readonly kind: 'all' }
  | { readonly kind: 'one'; readonly key: string; readonly formatted: boolean }
  | { readonly kind: 'set'; readonly pairs: readonly string[]; readonly file: string | undefined };

interface Choices {
  readonly file: string | undefined;
  readonly reset: readonly string[];
  readonly formatted: boolean;
}

function understand(words: readonly string[], choices: Choices): Wish {
  const pairs = words.filter((word) => word.includes('='));
  const keys = words.filter((word) => !word.includes('='));
  checkReset(pairs, choices.reset);
  const [key] = keys;
  if (key !== undefined) {
    refuseMixture(pairs, choices);
    if (keys.length > 1) {
      throw new UsageError('can only retrieve a single value, or all values');
    }
    return { kind: 'one', key, formatted: choices.formatted };
  }
  const changes = pairs.length > 0 || choices.reset.length > 0 || choices.file !== undefined;
  return changes ? { kind: 'set', pairs, file: choices.file } : { kind: 'all' };
}

function refuseMixture(pairs: readonly string[], { file, reset }: Choices): void {
  if (pairs.length > 0) {
    throw new UsageError('cannot set and retrieve values simultaneously');
  }
  if (file !== undefined) {
    throw new UsageError('cannot specify --file and retrieve values simultaneously');
  }
  if (reset.length > 0) {
    throw new UsageError('cannot reset and retrieve values simultaneously');
  }
}

function checkReset(pairs: readonly string[], reset: readonly string[]): void {
  for (const key of reset) {
    if (key.includes('=')) {
      throw new UsageError(
        `--reset accepts a comma delimited set of keys "a,b,c", received: ${quoted(key)}`,
      );
    }
    if (pairs.some((pair) => pair.startsWith(`${key}=`))) {
      throw new UsageError(`key ${quoted(key)} cannot be both set and reset simultaneously`);
    }
  }
}

/** A text as it is; anything else as YAML writes it; nothing for an option without a value. */
function bare(value: JsonValue): string {
  if (value === null) {
    return '\n';
  }
  return typeof value === 'string' ? `${value}\n` : toYaml(value);
}

/** `{application: {key: value}}`, or what `juju config` itself prints. */
async function readSettings(file: string, application: string, io: CommandIo): Promise<JsonRecord> {
  const document = await parseYaml(await readTextFile(file, io), file);
  const tree = isTree(document) ? document : {};
  const printed = tree['settings'];
  if (isTree(printed) && tree['application'] === application) {
    return Object.fromEntries(
      Object.entries(printed).flatMap(([key, option]) =>
        isTree(option) && option['source'] === 'user' ? [[key, option['value'] as JsonValue]] : [],
      ),
    );
  }
  const own = tree[application];
  if (!isTree(own)) {
    throw new CommandError(`no settings found for ${quoted(application)}`);
  }
  return own as JsonRecord;
}
