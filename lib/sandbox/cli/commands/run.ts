/** `juju run`: an action on one or several units. */
import type { JsonRecord, JsonValue } from '../../api.ts';
import { formatPlain } from '../actions/plain.ts';
import { parseRunArguments } from '../actions/run-targets.ts';
import {
  checkOperationChoices,
  finishOperation,
  OPERATION_FLAGS,
} from '../actions/scheduled-operation.ts';
import { isTree, mergeParams, type ParamArgument } from '../arguments/action-params.ts';
import { readTextFile } from '../arguments/files.ts';
import { booleanFlag, textFlag } from '../arguments/flag-kinds.ts';
import { parseYaml } from '../arguments/yaml-input.ts';
import { defineCommand } from '../command.ts';
import { CommandError } from '../errors.ts';
import type { CommandIo } from '../io.ts';

const DEFAULT_WAIT_MS = 60_000;

export const run = defineCommand({
  name: 'run',
  usage: '<unit> [<unit> ...] <action name> [<key>=<value> ...]',
  summary: 'Run an action on specified units.',
  details:
    'Parameters are YAML: n=3 is a number; a.b=c sets b inside a. They win over --params.\n' +
    'Waits one minute for the result unless told by --wait; the action goes on after that.',
  examples: [
    'juju run db/0 backup',
    'juju run db/leader backup filename=out.tgz options.level=9 --wait=5m',
    'juju run db/0 db/1 check --format=json',
    'juju run db/0 backup --background',
  ],
  flags: {
    ...OPERATION_FLAGS,
    params: textFlag('Path to a YAML file with parameters; - for standard input', {
      placeholder: '<file>',
    }),
    'string-args': booleanFlag('Use the values of parameters as they are, as text'),
  },
  run: async ({ session, positionals, flags }) => {
    checkOperationChoices(flags);
    const wish = parseRunArguments(positionals);
    const base = flags.params === undefined ? {} : await readParams(flags.params, session.io);
    const values = await Promise.all(
      wish.params.map(async (param) => readValue(param, flags['string-args'])),
    );
    const enqueued = await session.call('run', {
      targets: wish.targets,
      action: wish.action,
      params: mergeParams(base, values) as JsonRecord,
    });
    await finishOperation(session, enqueued, {
      choices: flags,
      defaultWaitMs: DEFAULT_WAIT_MS,
      progress: session.info,
      formatPlain,
    });
  },
});

async function readParams(file: string, io: CommandIo): Promise<Record<string, unknown>> {
  const document = await parseYaml(await readTextFile(file, io), file);
  if (document === null) {
    return {};
  }
  if (!isTree(document)) {
    throw new CommandError(`params file ${file} must contain a YAML map`);
  }
  return document;
}

async function readValue(
  { path, text }: ParamArgument,
  asText: boolean,
): Promise<{ readonly path: readonly string[]; readonly value: JsonValue }> {
  if (asText || isPlainText(text)) {
    return { path, value: text };
  }
  return { path, value: (await parseYaml(text, `parameter ${path.join('.')}`)) as JsonValue };
}

/** Texts that YAML would leave as they are; they need no parser (which takes time to load). */
function isPlainText(text: string): boolean {
  return (
    /^[A-Za-z/][\w./-]*$/.test(text) && !/^(?:[yYnN]|yes|no|on|off|true|false|null)$/i.test(text)
  );
}
