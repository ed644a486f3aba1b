/** Models: `add-model`, `destroy-model`, `models`, `show-model`, `switch`. */
import { startDaemon } from '../../client/daemon-control.ts';
import { killController } from '../../client/kill-controller.ts';
import {
  addedModelRoot,
  chooseModel,
  currentModel,
  findAddedModel,
  isModelName,
} from '../../client/models.ts';
import {
  booleanFlag,
  choiceFlag,
  durationFlag,
  formatFlag,
  listFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import { parseSettings } from '../arguments/settings.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import {
  askModel,
  controllerUuid,
  listModels,
  type ModelEntry,
  structuredModel,
  structuredSummary,
  USER,
} from '../models/model-info.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';
import type { Session } from '../session.ts';
import { allUnits } from '../status/all-units.ts';

const CLOUDS = ['sandbox', 'localhost'];

export const addModel = defineCommand({
  name: 'add-model',
  usage: '<model name> [<cloud|region>]',
  summary: 'Add a model to the sandbox.',
  details:
    'The model gets a daemon of its own. Later commands are about it unless\n' +
    '--no-switch is given or --model names another.',
  examples: [
    'juju add-model testing',
    'juju add-model testing --config update-status-hook-interval=1m',
  ],
  flags: {
    config: listFlag('Settings of the model', { placeholder: '<key>=<value>' }),
    credential: textFlag('Accepted for compatibility; the sandbox needs none'),
    owner: textFlag('Accepted for compatibility; the sandbox has one user'),
    'no-switch': booleanFlag('Do not switch to the new model'),
  },
  run: async ({ session, positionals, flags }) => {
    const [name, cloud, ...extra] = positionals;
    if (name === undefined) {
      throw new UsageError('model name is required');
    }
    refuseExtra(extra);
    if (!isModelName(name)) {
      throw new UsageError(
        `${quoted(name)} is not a valid name: model names may only contain lowercase letters, digits and hyphens`,
      );
    }
    refuseOtherCloud(cloud);
    const config = await parseSettings(flags.config, session.io);
    const { controllerRoot } = session;
    const { controllerName, modelName, isolation } = await session.callModel(
      controllerRoot,
      'ping',
      {},
    );
    if (name === modelName || findAddedModel(controllerRoot, name) !== undefined) {
      throw new CommandError(
        `failed to create new model: model ${quoted(name)} for ${USER} already exists (already exists)`,
      );
    }
    const root = addedModelRoot(controllerRoot, name);
    await startDaemon(root, { controllerName, modelName: name, isolation });
    if (flags.config.length > 0) {
      await configureOrForget(session, root, config);
    }
    if (!flags['no-switch']) {
      chooseModel(controllerRoot, name);
    }
    session.info(
      `Added '${name}' model on localhost/localhost with credential 'localhost' for user '${USER}'`,
    );
  },
});

function refuseOtherCloud(cloud: string | undefined): void {
  if (cloud !== undefined && !CLOUDS.includes(cloud.split('/')[0] ?? '')) {
    throw new UsageError(
      `${quoted(cloud)} is neither a cloud supported by this controller nor a region of it: the sandbox runs on this machine only; leave the cloud out`,
    );
  }
}

async function configureOrForget(
  session: Session,
  root: string,
  values: Awaited<ReturnType<typeof parseSettings>>,
): Promise<void> {
  try {
    await session.callModel(root, 'model-config', { values });
  } catch (error) {
    await killController(root);
    throw error;
  }
}

export const destroyModel = defineCommand({
  name: 'destroy-model',
  usage: '[<controller name>:]<model name>',
  summary: 'Stop everything in a model, and forget it.',
  examples: ['juju destroy-model staging --no-prompt'],
  flags: {
    'no-prompt': booleanFlag('Do not ask for confirmation', { aliases: ['y', 'yes'] }),
    timeout: durationFlag('How long units may take to stop; 30s unless given', { aliases: ['t'] }),
    'destroy-storage': booleanFlag('Accepted for compatibility; storage goes with its model'),
    'release-storage': booleanFlag('Accepted for compatibility; storage goes with its model'),
    force: booleanFlag('Accepted for compatibility; units have a bounded time in any case'),
    'no-wait': booleanFlag('Accepted for compatibility; units have a bounded time in any case'),
  },
  run: async ({ session, positionals, flags }) => {
    const [given, ...extra] = positionals;
    if (given === undefined) {
      throw new UsageError('no model specified');
    }
    refuseExtra(extra);
    const { root, name } = await findModel(session, given);
    const { controllerRoot, io } = session;
    if (root === controllerRoot) {
      throw new CommandError(
        `${quoted(name)} is the first model of the sandbox; use 'juju kill-controller' to end both`,
      );
    }
    if (!flags['no-prompt']) {
      io.err(
        `WARNING This command will destroy the ${quoted(name)} model and all its resources.\n`,
      );
      await session.confirm();
    }
    session.info('Destroying model');
    await killController(root, {
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
      onWarning: (message) => io.err(`WARNING ${message}\n`),
    });
    if (currentModel(controllerRoot) === undefined) {
      chooseModel(controllerRoot, undefined);
    }
    session.info('Model destroyed.');
  },
});

/** The model that `[controller:][owner/]name` names. @throws CommandError when there is none. */
async function findModel(
  session: Session,
  given: string,
): Promise<{ readonly root: string; readonly name: string }> {
  session.select({ model: given, controller: undefined, verbose: false, quiet: false });
  const { modelName } = await session.call('ping', {});
  return { root: session.root, name: modelName };
}

export const models = defineCommand({
  name: 'models',
  aliases: ['list-models'],
  usage: '',
  summary: 'List the models of the sandbox.',
  examples: ['juju models', 'juju models --format json'],
  flags: {
    format: choiceFlag(['tabular', 'yaml', 'json'], 'Specify output format (json|tabular|yaml)'),
    output: outputFlag,
    uuid: booleanFlag('Show the UUIDs of the models'),
    all: booleanFlag('Accepted for compatibility; all are shown'),
    user: textFlag('Accepted for compatibility; the sandbox has one user'),
    'exact-time': booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const all = await listModels(session);
    const controller = await controllerUuid(session);
    const text =
      flags.format === 'tabular'
        ? modelTable(all, flags.uuid)
        : formatDocument(
            {
              models: all.map((one) => structuredSummary({ ...one, controller })),
              'current-model': all.find(({ isCurrent }) => isCurrent)?.ping.modelName,
            },
            flags.format,
          );
    deliver(text, session.io, flags.output);
  },
});

function modelTable(all: readonly ModelEntry[], withUuid: boolean): string {
  const rows = all.map(({ ping, status, isCurrent }) => [
    `${ping.modelName}${isCurrent ? '*' : ''}`,
    ...(withUuid ? [ping.modelUuid] : []),
    `${status.model.cloud}/${status.model.region}`,
    'sandbox',
    status.model.status.current,
    String(status.machines.length),
    String(allUnits(status).length) === '0' ? '-' : String(allUnits(status).length),
    USER,
    'just now',
  ]);
  const table = formatTable(
    [
      'Model',
      ...(withUuid ? ['UUID'] : []),
      'Cloud/Region',
      'Type',
      'Status',
      { title: 'Machines', align: 'right' as const },
      { title: 'Units', align: 'right' as const },
      'Access',
      'Last connection',
    ],
    rows,
  );
  return `Controller: ${all[0]?.ping.controllerName ?? ''}\n\n${table}`;
}

export const showModel = defineCommand({
  name: 'show-model',
  usage: '[<model name>]',
  summary: 'Show information about the current or specified model.',
  examples: ['juju show-model', 'juju show-model staging --format json'],
  flags: { format: formatFlag(['yaml', 'json']), output: outputFlag },
  run: async ({ session, positionals, flags }) => {
    const [given, ...extra] = positionals;
    refuseExtra(extra);
    if (given !== undefined) {
      await findModel(session, given);
    }
    await session.call('ping', {});
    const { ping, status } = await askModel(session, session.root);
    const controller = await controllerUuid(session);
    const document = { [ping.modelName]: structuredModel({ ping, status, controller }) };
    deliver(formatDocument(document, flags.format), session.io, flags.output);
  },
});

export const switchModel = defineCommand({
  name: 'switch',
  usage: '[<controller>|<model>|<controller>:|:<model>|<controller>:<model>]',
  summary: 'Select or identify the current model.',
  examples: ['juju switch', 'juju switch staging'],
  flags: {},
  run: async ({ session, positionals }) => {
    const [target, ...extra] = positionals;
    refuseExtra(extra);
    const { controllerRoot, io } = session;
    const before = await session.callModel(
      findAddedModel(controllerRoot, currentModel(controllerRoot) ?? '') ?? controllerRoot,
      'ping',
      {},
    );
    const shownBefore = `${before.controllerName}:${USER}/${before.modelName}`;
    if (target === undefined) {
      io.out(`${shownBefore}\n`);
      return;
    }
    const name = modelOf(target, before.controllerName);
    if (name !== undefined) {
      const found = await findModel(session, name).catch(() => undefined);
      if (found === undefined) {
        throw new CommandError(`${quoted(target)} is not the name of a model or controller`);
      }
      chooseModel(controllerRoot, found.root === controllerRoot ? undefined : found.name);
    }
    const shown = `${before.controllerName}:${USER}/${name?.replace(/^.*[:/]/, '') ?? before.modelName}`;
    io.err(shown === shownBefore ? `${shown} (no change)\n` : `${shownBefore} -> ${shown}\n`);
  },
});

/** The model asked for; undefined when it is the controller alone. */
function modelOf(target: string, controllerName: string): string | undefined {
  return [controllerName, `${controllerName}:`].includes(target)
    ? undefined
    : target.replace(/^:/, '');
}
