/** state-get, state-set, state-delete: a unit's own small store. */
import { parseKeyValues, readValuesFile } from './key-values.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const MAX_KEY_BYTES = 256;
const MAX_VALUE_BYTES = 65_536;
const MAX_STATE_BYTES = 2 * 1024 * 1024;

const stateGet: Tool = {
  name: 'state-get',
  summary: 'Print server-side-state value.',
  usage: '[options] [<key>]',
  flags: { ...OUTPUT_FLAGS, strict: { kind: 'boolean' } },
  run(call) {
    const [key = '-', ...extra] = call.args;
    refuseExtra(extra);
    const state = call.context.readState();
    if (key === '-') {
      return answer(call, state);
    }
    if (state[key] === undefined && call.flags.boolean('strict')) {
      throw new ToolError(`${JSON.stringify(key)} not found`);
    }
    return answer(call, state[key] ?? '');
  },
};

const stateSet: Tool = {
  name: 'state-set',
  summary: 'Set server-side-state values.',
  usage: '[options] key=value [key=value ...]',
  flags: { file: { kind: 'text' } },
  run(call) {
    const values = { ...readValuesFile(call), ...parseKeyValues(call.args) };
    for (const [key, value] of Object.entries(values)) {
      refuseLong('key', key, MAX_KEY_BYTES);
      refuseLong('value', value, MAX_VALUE_BYTES);
    }
    const size = Object.entries({ ...call.context.readState(), ...values }).reduce(
      (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
      0,
    );
    if (size > MAX_STATE_BYTES) {
      throw new ToolError(`max allowed size (${MAX_STATE_BYTES}) exceeded: ${size}`);
    }
    for (const [key, value] of Object.entries(values)) {
      call.context.writeState(key, value);
    }
    return undefined;
  },
};

function refuseLong(what: 'key' | 'value', text: string, limit: number): void {
  if (Buffer.byteLength(text) > limit) {
    throw new ToolError(`max allowed ${what} length (${limit}) exceeded`);
  }
}

const stateDelete: Tool = {
  name: 'state-delete',
  summary: 'Delete server-side-state key value pair.',
  usage: '<key>',
  flags: {},
  run({ args: [key, ...extra], context }) {
    if (key === undefined) {
      throw usageError('missing required key');
    }
    refuseExtra(extra);
    context.writeState(key, undefined);
    return undefined;
  },
};

export const stateTools: readonly Tool[] = [stateGet, stateSet, stateDelete];
