/** status-set, status-get: immediate, whatever becomes of the hook. */

import type { StatusInfo } from '../api-status.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import { applicationStatus } from '../model/application-status.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const SETTABLE = ['maintenance', 'blocked', 'waiting', 'active'];

const statusSet: Tool = {
  name: 'status-set',
  summary: 'Set status information.',
  usage: '[options] <maintenance | blocked | waiting | active> [message]',
  flags: { application: { kind: 'boolean' } },
  run({ context, args: [current, message = '', ...extra], flags }) {
    if (current === undefined) {
      throw usageError('invalid args, require <status> [message]');
    }
    if (!SETTABLE.includes(current)) {
      throw usageError(
        `invalid status ${JSON.stringify(current)}, expected one of [${SETTABLE.join(' ')}]`,
      );
    }
    refuseExtra(extra);
    const status: StatusInfo = {
      current,
      since: context.now(),
      ...(message === '' ? {} : { message }),
    };
    if (!flags.boolean('application')) {
      context.store.transact((transaction) =>
        transaction.patch('unit', context.unit, { workload: status, statusSet: true }),
      );
      return undefined;
    }
    if (!context.isLeader()) {
      throw new ToolError('this unit is not the leader');
    }
    context.store.transact((transaction) =>
      transaction.patch('application', context.application, { status }),
    );
    return undefined;
  },
};

const statusGet: Tool = {
  name: 'status-get',
  summary: 'Print status information.',
  usage: '[options]',
  flags: {
    ...OUTPUT_FLAGS,
    application: { kind: 'boolean' },
    'include-data': { kind: 'boolean' },
  },
  run(call) {
    refuseExtra(call.args);
    return call.flags.boolean('application') ? answerApplication(call) : answerUnit(call);
  },
};

function answerUnit(call: ToolCall) {
  const { workload } = call.context.unitDocument();
  if (call.flags.boolean('include-data')) {
    return answer(call, details(workload));
  }
  const asked = call.flags.text('format') ?? 'smart';
  return answer(call, asked === 'smart' ? workload.current : { status: workload.current });
}

function answerApplication(call: ToolCall) {
  const { context } = call;
  if (!context.isLeader()) {
    throw new ToolError('finding application status: this unit is not the leader');
  }
  const status = applicationStatus(context.store, context.application);
  const units = context.store.within('unit', context.application);
  const detailed: JsonRecord = {
    'application-status': {
      ...details(status),
      units: Object.fromEntries(
        units.map(({ name, workload }): [string, JsonValue] => [name, details(workload)]),
      ),
    },
  };
  const asked = call.flags.text('format') ?? 'smart';
  const plain = asked === 'smart' && !call.flags.boolean('include-data');
  return answer(call, plain ? status.current : detailed);
}

function details({ current, message }: StatusInfo): JsonRecord {
  return { status: current, message: message ?? '', 'status-data': {} };
}

export const statusTools: readonly Tool[] = [statusSet, statusGet];
