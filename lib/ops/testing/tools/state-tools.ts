/** state-get, state-set and state-delete in memory. */
import { parse } from 'yaml';
import { pair, parseArguments, ToolFailure } from './arguments.ts';
import { Json, type Tool } from './tool.ts';

// Juju's fixed quotas, in bytes; that of the whole is what `max-charm-state-size` is unless set.
const MAX_KEY = 256;
const MAX_VALUE = 65_536;
const MAX_STATE = 2 * 1024 * 1024;

export const stateTools: Readonly<Record<string, Tool>> = {
  'state-get': (world, args) => {
    const parsed = parseArguments(args, { flags: ['--strict'] });
    const key = onlyArgument(parsed.rest) ?? '-';
    if (key === '-') {
      return Object.fromEntries(world.unitState);
    }
    const value = world.unitState.get(key);
    if (value === undefined && parsed.flags.has('--strict')) {
      throw new ToolFailure(`"${key}" not found`);
    }
    return new Json(value ?? '');
  },
  'state-set': (world, args, stdin) => {
    const parsed = parseArguments(args, { values: ['--file'] });
    const file = parsed.values.get('--file') === '-' ? (parse(stdin) as Values | null) : {};
    const next = new Map([
      ...world.unitState,
      ...Object.entries(file ?? {}),
      ...parsed.rest.map(pair),
    ]);
    checkQuotas(next);
    world.unitState = next;
  },
  'state-delete': (world, args) => {
    const key = onlyArgument(parseArguments(args, {}).rest);
    if (key === undefined) {
      throw new ToolFailure('missing required key', 2);
    }
    world.unitState.delete(key);
  },
};

type Values = Readonly<Record<string, string>>;

function onlyArgument([first, ...extra]: readonly string[]): string | undefined {
  if (extra.length > 0) {
    throw new ToolFailure(`unrecognized args: ${JSON.stringify(extra)}`, 2);
  }
  return first;
}

function checkQuotas(values: ReadonlyMap<string, string>): void {
  let size = 0;
  for (const [key, value] of values) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (Buffer.byteLength(key) > MAX_KEY) {
      throw new ToolFailure(`max allowed key length (${MAX_KEY}) exceeded`);
    }
    if (Buffer.byteLength(value) > MAX_VALUE) {
      throw new ToolFailure(`max allowed value length (${MAX_VALUE}) exceeded`);
    }
  }
  if (size > MAX_STATE) {
    throw new ToolFailure(`max allowed size (${MAX_STATE}) exceeded: ${size}`);
  }
}
