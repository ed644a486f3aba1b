/** config-get, is-leader, leader-get, leader-set, application-version-set, goal-state, juju-log. */

import type { StatusInfo } from '../api-status.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import { unitConfig } from '../model/application-config.ts';
import { MODEL, type UnitDocument } from '../model/documents.ts';
import { endpointOf, isPeer, relationsOf, remoteEndpointOf } from '../model/relations.ts';
import { parseKeyValues } from './key-values.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import { deprecatedFormat } from './relation-tools.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const configGet: Tool = {
  name: 'config-get',
  summary: 'Print application configuration.',
  usage: '[options] [<key>]',
  flags: { ...OUTPUT_FLAGS, all: { kind: 'boolean', aliases: ['a'] } },
  run(call) {
    const [key, ...extra] = call.args;
    const all = call.flags.boolean('all');
    if (key !== undefined && all) {
      throw usageError(`cannot use argument --all together with key ${JSON.stringify(key)}`);
    }
    refuseExtra(extra);
    const settings = unitConfig(call.context.store, call.context.unit);
    if (key !== undefined) {
      return answer(call, settings[key]?.value);
    }
    const entries = Object.entries(settings)
      .map(([name, { value }]): [string, JsonValue] => [name, value ?? null])
      .filter(([, value]) => all || value !== null);
    return answer(call, Object.fromEntries(entries));
  },
};

const isLeader: Tool = {
  name: 'is-leader',
  summary: 'Print application leadership status.',
  usage: '[options]',
  flags: OUTPUT_FLAGS,
  run(call) {
    refuseExtra(call.args);
    return answer(call, call.context.isLeader());
  },
};

const leaderGet: Tool = {
  name: 'leader-get',
  summary: 'Print application leadership settings.',
  usage: '[options] [<key>]',
  flags: OUTPUT_FLAGS,
  run(call) {
    const [key = '-', ...extra] = call.args;
    refuseExtra(extra);
    const { context } = call;
    const settings = context.store.require('application', context.application).leaderSettings;
    return answer(call, key === '-' ? settings : settings[key]);
  },
};

/** Immediate, as in Juju. */
const leaderSet: Tool = {
  name: 'leader-set',
  summary: 'Write application leadership settings.',
  usage: '<key>=<value> [...]',
  flags: {},
  run({ args, context }) {
    const values = parseKeyValues(args);
    if (!context.isLeader()) {
      throw new ToolError(
        'cannot write leadership settings: cannot write settings: not the leader',
      );
    }
    context.store.transact((transaction) => {
      const { leaderSettings, leaderSettingsVersion } = transaction.require(
        'application',
        context.application,
      );
      const merged = Object.entries({ ...leaderSettings, ...values });
      transaction.patch('application', context.application, {
        leaderSettings: Object.fromEntries(merged.filter(([, value]) => value !== '')),
        leaderSettingsVersion: leaderSettingsVersion + 1,
      });
    });
    return undefined;
  },
};

const applicationVersionSet: Tool = {
  name: 'application-version-set',
  summary: 'Specify which version of the application is deployed.',
  usage: '<new-version>',
  flags: {},
  run({ args: [version, ...extra], context }) {
    if (version === undefined) {
      throw usageError('no version specified');
    }
    refuseExtra(extra);
    context.store.transact((transaction) =>
      transaction.patch('unit', context.unit, { workloadVersion: version }),
    );
    return undefined;
  },
};

const goalState: Tool = {
  name: 'goal-state',
  summary: 'Print the status of the charm’s peers and related units.',
  usage: '[options]',
  flags: OUTPUT_FLAGS,
  run(call) {
    refuseExtra(call.args);
    const { context } = call;
    const units = context.store.within('unit', context.application);
    const relations: Record<string, Record<string, JsonValue>> = {};
    for (const relation of relationsOf(context.store, context.application)) {
      const endpoint = endpointOf(relation, context.application)?.endpoint;
      const remote = remoteEndpointOf(relation, context.application)?.application;
      if (!isPeer(relation) && endpoint !== undefined && remote !== undefined) {
        const status = { current: relation.life === 'alive' ? 'joined' : 'broken' };
        relations[endpoint] = {
          ...relations[endpoint],
          [remote]: goal(status, call),
          ...unitGoals(context.store.within('unit', remote), call),
        };
      }
    }
    return answer(call, { units: unitGoals(units, call), relations }, ['yaml', 'json']);
  },
};

function unitGoals(units: readonly UnitDocument[], call: ToolCall): JsonRecord {
  return Object.fromEntries(
    units.map(({ name, life, workload }) => [
      name,
      goal(life === 'dying' ? { ...workload, current: 'dying' } : workload, call),
    ]),
  );
}

function goal(status: StatusInfo, { context }: ToolCall): JsonValue {
  const since = status.since ?? context.store.require('model', MODEL).created;
  return { status: status.current, since: `${since.slice(0, 19).replace('T', ' ')}Z` };
}

const LEVELS: ReadonlySet<string> = new Set([
  'TRACE',
  'DEBUG',
  'INFO',
  'WARNING',
  'ERROR',
  'CRITICAL',
]);

const jujuLog: Tool = {
  name: 'juju-log',
  summary: 'Write a message to the juju log.',
  usage: '[options] <message>',
  flags: {
    'log-level': { kind: 'text', aliases: ['l'] },
    debug: { kind: 'boolean' },
    format: { kind: 'text' },
  },
  run(call) {
    const { context, args, flags } = call;
    if (args.length === 0) {
      throw usageError('no message specified');
    }
    const module = `unit.${context.unit}.juju-log`;
    const asked = flags.boolean('debug') ? 'DEBUG' : (flags.text('log-level') ?? 'INFO');
    const level = asked.toUpperCase();
    if (!LEVELS.has(level)) {
      context.writeLog('WARNING', module, `Specified log level ${asked} is not valid, using INFO`);
    }
    const message = `${relationPrefix(call)}${args.join(' ')}`;
    context.writeLog(LEVELS.has(level) ? level : 'INFO', module, message);
    return deprecatedFormat(call, 'juju-log');
  },
};

function relationPrefix({ context }: ToolCall): string {
  const relation = context.relation && context.findRelation(context.relation.id);
  const endpoint = relation && endpointOf(relation, context.application)?.endpoint;
  return endpoint === undefined ? '' : `${endpoint}:${context.relation?.id ?? ''}: `;
}

export const applicationTools: readonly Tool[] = [
  configGet,
  isLeader,
  leaderGet,
  leaderSet,
  applicationVersionSet,
  goalState,
  jujuLog,
];
