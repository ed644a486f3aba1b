/** action-get, action-set, action-log, action-fail. */

import { isRecord } from '../charm-archive/yaml-document.ts';
import type { JsonValue } from '../json.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const KEY = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const RESERVED: ReadonlySet<string> = new Set([
  'stdout',
  'stdout-encoding',
  'stderr',
  'stderr-encoding',
]);

// Juju keeps about so many messages of a task.
const MAX_LOGS = 1000;

const actionGet: Tool = {
  name: 'action-get',
  summary: 'Get action parameters.',
  usage: '[options] [<key>[.<key>.<key>...]]',
  flags: OUTPUT_FLAGS,
  run(call) {
    const [key, ...extra] = call.args;
    refuseExtra(extra);
    runningTask(call);
    const path = key === undefined || key === '' ? [] : key.split('.');
    const value = path.reduce<JsonValue | undefined>(
      (level, name) => (isRecord(level) ? level[name] : undefined),
      call.context.params,
    );
    return answer(call, value);
  },
};

const actionSet: Tool = {
  name: 'action-set',
  summary: 'Set action results.',
  usage: '<key>=<value> [<key>=<value> ...]',
  flags: {},
  run(call) {
    const assignments = call.args.map(parseAssignment);
    runningTask(call);
    for (const { path, value } of assignments) {
      call.context.results.set(path, value);
    }
    return undefined;
  },
};

function parseAssignment(arg: string): {
  readonly path: readonly string[];
  readonly value: string;
} {
  const equals = arg.indexOf('=');
  if (equals <= 0) {
    throw usageError(`argument ${JSON.stringify(arg)} must be of the form key...=value`);
  }
  const path = arg.slice(0, equals).split('.');
  for (const key of path) {
    if (RESERVED.has(key)) {
      throw usageError(`cannot set reserved action key ${JSON.stringify(key)}`);
    }
    if (!KEY.test(key)) {
      throw usageError(
        `key ${JSON.stringify(key)} must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens`,
      );
    }
  }
  return { path, value: arg.slice(equals + 1) };
}

const actionFail: Tool = {
  name: 'action-fail',
  summary: 'Set action fail status with message.',
  usage: '["<failure message>"]',
  flags: {},
  run(call) {
    const [message, ...extra] = call.args;
    refuseExtra(extra);
    runningTask(call);
    call.context.results.failure =
      message ?? 'action failed without reason given, check action for errors';
    return undefined;
  },
};

const actionLog: Tool = {
  name: 'action-log',
  summary: 'Record a progress message for the current action.',
  usage: '<message>',
  flags: {},
  run(call) {
    if (call.args.length === 0) {
      throw usageError('no message specified');
    }
    const id = runningTask(call);
    const entry = { time: call.context.now(), message: call.args.join(' ') };
    call.context.store.transact((transaction) => {
      const { log } = transaction.require('task', id);
      transaction.patch('task', id, { log: [...log, entry].slice(-MAX_LOGS) });
    });
    return undefined;
  },
};

function runningTask({ context }: ToolCall): string {
  if (!context.isAction || context.task === undefined) {
    throw new ToolError('not running an action');
  }
  return context.task;
}

export const actionTools: readonly Tool[] = [actionGet, actionSet, actionFail, actionLog];
