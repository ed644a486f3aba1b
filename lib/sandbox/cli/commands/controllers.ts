/** The controller and its user: `controllers`, `show-controller`, `whoami`. */
import { booleanFlag, choiceFlag, formatFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError } from '../errors.ts';
import { listModels, USER } from '../models/model-info.ts';
import { deliver, formatDocument, outputFlag } from '../output/print.ts';
import { formatTable } from '../output/table.ts';
import type { Session } from '../session.ts';

const TABULAR = choiceFlag(
  ['tabular', 'yaml', 'json'],
  'Specify output format (json|tabular|yaml)',
);

interface Controller {
  readonly name: string;
  readonly uuid: string;
  readonly version: string;
  readonly model: string;
  readonly cloud: string;
  readonly region: string;
  readonly models: number;
  readonly machines: number;
}

async function describe(session: Session): Promise<Controller> {
  const all = await listModels(session);
  const [first] = all;
  if (first === undefined) {
    throw new CommandError('no model in the sandbox');
  }
  return {
    name: first.ping.controllerName,
    uuid: first.ping.modelUuid,
    version: first.ping.jujuVersion,
    model: (all.find(({ isCurrent }) => isCurrent) ?? first).ping.modelName,
    cloud: first.status.model.cloud,
    region: first.status.model.region,
    models: all.length,
    machines: all.reduce((sum, { status }) => sum + status.machines.length, 0),
  };
}

export const controllers = defineCommand({
  name: 'controllers',
  aliases: ['list-controllers'],
  usage: '',
  summary: 'List the one controller that the sandbox plays.',
  examples: ['juju controllers', 'juju controllers --format json'],
  flags: {
    format: TABULAR,
    output: outputFlag,
    refresh: booleanFlag('Accepted for compatibility; changes nothing'),
    managed: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const it = await describe(session);
    const text = flags.format === 'tabular' ? table(it) : formatDocument(list(it), flags.format);
    deliver(text, session.io, flags.output);
  },
});

function table(it: Controller): string {
  return formatTable(
    [
      'Controller',
      'Model',
      'User',
      'Access',
      'Cloud/Region',
      { title: 'Models', align: 'right' },
      { title: 'Nodes', align: 'right' },
      { title: 'HA', align: 'right' },
      'Version',
    ],
    [
      [
        `${it.name}*`,
        it.model,
        USER,
        'superuser',
        `${it.cloud}/${it.region}`,
        String(it.models),
        '1',
        'none',
        it.version,
      ],
    ],
  );
}

function list(it: Controller) {
  return {
    controllers: {
      [it.name]: {
        'current-model': `${USER}/${it.model}`,
        user: USER,
        access: 'superuser',
        'recent-server': '',
        uuid: it.uuid,
        'api-endpoints': [],
        cloud: it.cloud,
        region: it.region,
        'agent-version': it.version,
        'model-count': it.models,
        'machine-count': it.machines,
      },
    },
    'current-controller': it.name,
  };
}

export const showController = defineCommand({
  name: 'show-controller',
  usage: '[<controller name>]',
  summary: 'Show the one controller that the sandbox plays.',
  examples: ['juju show-controller'],
  flags: {
    format: formatFlag(['yaml', 'json']),
    output: outputFlag,
    'show-password': booleanFlag('Accepted for compatibility; there is no password'),
  },
  run: async ({ session, positionals, flags }) => {
    const [name, ...extra] = positionals;
    refuseExtra(extra);
    const it = await describe(session);
    if (name !== undefined && name !== it.name) {
      throw new CommandError(`controller ${name} not found`);
    }
    const document = {
      [it.name]: {
        details: {
          'controller-uuid': it.uuid,
          'api-endpoints': [],
          cloud: it.cloud,
          region: it.region,
          'agent-version': it.version,
        },
        'current-model': `${USER}/${it.model}`,
        account: { user: USER, access: 'superuser' },
      },
    };
    deliver(formatDocument(document, flags.format), session.io, flags.output);
  },
});

export const whoami = defineCommand({
  name: 'whoami',
  usage: '',
  summary: 'Print the current controller, model and user.',
  examples: ['juju whoami', 'juju whoami --format json'],
  flags: { format: TABULAR, output: outputFlag },
  run: async ({ session, positionals, flags }) => {
    refuseExtra(positionals);
    const { name, model } = await describe(session);
    const text =
      flags.format === 'tabular'
        ? `Controller:  ${name}\nModel:       ${model}\nUser:        ${USER}\n`
        : formatDocument({ controller: name, model, user: USER }, flags.format);
    deliver(text, session.io, flags.output);
  },
});
