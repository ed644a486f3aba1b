/** Starting, ending and naming the sandbox: `bootstrap`, `kill-controller`, `version`. */
import { isBootstrapped, isDaemonRunning, startDaemon } from '../../client/daemon-control.ts';
import { killController as endSandbox } from '../../client/kill-controller.ts';
import { addedModelRoot, addedModels } from '../../client/models.ts';
import {
  booleanFlag,
  choiceFlag,
  durationFlag,
  formatFlag,
  listFlag,
  refusedFlag,
  textFlag,
} from '../arguments/flag-kinds.ts';
import type { FlagSpec } from '../arguments/flags.ts';
import { parseSettings } from '../arguments/settings.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import type { Session } from '../session.ts';

// The release whose behaviour the sandbox follows.
const JUJU_VERSION = '3.6.28';
const CLOUDS = ['sandbox', 'localhost'];
const WITHOUT_EFFECT = 'Accepted for compatibility; changes nothing';

const isolationFlag: FlagSpec<'none' | 'namespaces'> = {
  ...choiceFlag(['none', 'namespaces'], 'Not of Juju: how machines are kept apart'),
  parse: (text) => {
    if (text !== 'none' && text !== 'namespaces') {
      throw new Error(`expected one of [none namespaces], got ${quoted(text)}`);
    }
    return text;
  },
};

export const bootstrap = defineCommand({
  name: 'bootstrap',
  usage: '[sandbox [<controller name>]]',
  summary: 'Start the sandbox.',
  details:
    'Starts a daemon that plays the controller, its cloud and one model on this machine.\n' +
    'Its state lies below $JUJU_DATA (~/.local/share/juju-sandbox unless set). Where a sandbox\n' +
    'is there already but its daemon ended, it goes on with what it had.',
  examples: [
    'juju bootstrap',
    'juju bootstrap --isolation namespaces',
    'JUJU_DATA=/tmp/try juju bootstrap',
  ],
  flags: {
    'add-model': textFlag('Name of the first model', { placeholder: '<name>' }),
    isolation: isolationFlag,
    config: listFlag('Settings of the first model', { placeholder: '<key>=<value>' }),
    'model-default': listFlag('The same', { placeholder: '<key>=<value>' }),
    'no-switch': booleanFlag(WITHOUT_EFFECT),
    force: booleanFlag(WITHOUT_EFFECT),
    'no-gui': booleanFlag(WITHOUT_EFFECT),
    credential: textFlag(WITHOUT_EFFECT),
    'bootstrap-base': textFlag(WITHOUT_EFFECT),
    'bootstrap-constraints': listFlag(WITHOUT_EFFECT),
    constraints: listFlag(WITHOUT_EFFECT),
    'agent-version': textFlag(WITHOUT_EFFECT),
    'build-agent': booleanFlag(WITHOUT_EFFECT),
    'storage-pool': listFlag(WITHOUT_EFFECT),
    'metadata-source': textFlag(WITHOUT_EFFECT),
    to: refusedFlag('the sandbox runs on this machine only'),
  },
  run: async ({ session, positionals, flags }) => {
    const [cloud, controllerName, ...extra] = positionals;
    refuseExtra(extra);
    if (cloud !== undefined && !CLOUDS.includes(cloud.split('/')[0] ?? '')) {
      throw new UsageError(
        `unknown cloud ${quoted(cloud)}: the sandbox runs on this machine only; leave the cloud out`,
      );
    }
    const config = await parseSettings([...flags['model-default'], ...flags.config], session.io);
    if (isBootstrapped(session.controllerRoot)) {
      await goOn(session);
      return;
    }
    const modelName = flags['add-model'];
    await startDaemon(session.controllerRoot, {
      ...(controllerName === undefined ? {} : { controllerName }),
      ...(modelName === undefined ? {} : { modelName }),
      isolation: flags.isolation,
    });
    const root = session.controllerRoot;
    if (Object.keys(config).length > 0) {
      await session.callModel(root, 'model-config', { values: config });
    }
    const answer = await session.callModel(root, 'ping', {});
    session.info(
      `Started the sandbox: controller ${quoted(answer.controllerName)}, model ${quoted(answer.modelName)}, Juju ${answer.jujuVersion}, data in ${session.controllerRoot}`,
    );
    for (const warning of answer.warnings) {
      session.io.err(`WARNING ${warning}\n`);
    }
    session.info(
      answer.isolation === 'namespaces'
        ? 'It is for development: machines have files, processes and a network of their own, but root on them is root here.'
        : 'It is for development: units share this machine, and nothing keeps them apart.',
    );
  },
});

async function goOn({ controllerRoot: root, info }: Session): Promise<void> {
  if (await isDaemonRunning(root)) {
    throw new CommandError(
      `a sandbox already runs in ${root}\n` +
        'Go on with it ("juju status"), or end it first with "juju kill-controller --no-prompt".',
    );
  }
  await startDaemon(root);
  info(`The sandbox in ${root} had ended; it was started again and goes on with what it had.`);
}

export const killController = defineCommand({
  name: 'kill-controller',
  usage: '[<controller name>]',
  summary: 'Stop the sandbox and everything in it, and forget its state.',
  details:
    'Every unit gets a bounded time for its stop and remove hooks. Then the daemon and every\n' +
    'process that hooks left behind are ended, and the state below $JUJU_DATA is removed.',
  examples: ['juju kill-controller --no-prompt', 'juju kill-controller --no-prompt --timeout 10s'],
  flags: {
    'no-prompt': booleanFlag('Do not ask for confirmation', { aliases: ['y', 'yes'] }),
    timeout: durationFlag('How long units may take to stop; 30s unless given', { aliases: ['t'] }),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals.slice(1));
    const { controllerRoot: root, io } = session;
    if (!isBootstrapped(root)) {
      throw new CommandError(`no sandbox in ${root}: nothing to stop`);
    }
    if (positionals[0] !== undefined) {
      const { controllerName } = await session.callModel(root, 'ping', {});
      if (controllerName !== positionals[0]) {
        throw new CommandError(`controller ${positionals[0]} not found`);
      }
    }
    if (!flags['no-prompt']) {
      io.err(
        `WARNING This command will stop the sandbox in ${root}: all applications, their data below it, and its state.\n`,
      );
      await session.confirm();
    }
    for (const name of addedModels(root)) {
      session.info(`Ending model ${quoted(name)}`);
      await endSandbox(addedModelRoot(root, name), {
        ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
        onWarning: (message) => io.err(`WARNING ${message}\n`),
      });
    }
    let shown = '';
    await endSandbox(root, {
      ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout }),
      onProgress: ({ units }) => {
        const line = units.length === 0 ? '' : `Waiting for ${units.join(', ')}`;
        if (line !== shown) {
          shown = line;
          session.info(line === '' ? 'All units are gone' : line);
        }
      },
      onWarning: (message) => io.err(`WARNING ${message}\n`),
    });
    session.info(`Stopped the sandbox in ${root}`);
  },
});

export const version = defineCommand({
  name: 'version',
  usage: '',
  summary: 'Print the version of Juju that the sandbox follows.',
  examples: ['juju version', 'juju version --all --format json'],
  flags: {
    all: booleanFlag('Show more than the version'),
    format: formatFlag(['smart', 'yaml', 'json']),
    output: outputFlag,
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const text = `${JUJU_VERSION}-sandbox-${architecture}`;
    const value = flags.all ? { version: text, compiler: `node ${process.version}` } : text;
    const printed =
      flags.format === 'smart' && !flags.all
        ? `${text}\n`
        : formatDocument(value, flags.format === 'json' ? 'json' : 'yaml');
    deliver(printed, session.io, flags.output);
  },
});
