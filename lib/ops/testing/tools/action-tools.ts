/** The action tools in memory. */
import type { World } from '../world.ts';
import { parseArguments, ToolFailure } from './arguments.ts';
import { withDefaults } from './param-defaults.ts';
import { Json, type Tool } from './tool.ts';

export const actionTools: Readonly<Record<string, Tool>> = {
  'action-get': (world, args) => {
    const wanted = parseArguments(args, {}).rest[0];
    const { name, params } = requireAction(world);
    const values = withDefaults(world.meta.actions.get(name)?.params ?? {}, params);
    return wanted === undefined ? values : new Json(values[wanted]);
  },
  'action-set': (world, args) => {
    requireAction(world);
    for (const text of parseArguments(args, {}).rest) {
      const equals = text.indexOf('=');
      if (equals === -1) {
        throw new ToolFailure(`argument "${text}" must be of the form key...=value`, 2);
      }
      const path = text.slice(0, equals).split('.');
      path.forEach(checkKey);
      set(world.recording.actionResults, path, text.slice(equals + 1));
    }
  },
  'action-log': (world, args) => {
    requireAction(world);
    const message = parseArguments(args, {}).rest.join(' ');
    if (message === '') {
      throw new ToolFailure('no message specified', 2);
    }
    world.recording.actionLogs.push(message);
  },
  'action-fail': (world, args) => {
    requireAction(world);
    world.recording.actionFailure =
      parseArguments(args, {}).rest[0] ??
      'action failed without reason given, check action for errors';
  },
};

const RESERVED = ['stdout', 'stdout-encoding', 'stderr', 'stderr-encoding'];

function checkKey(key: string): void {
  if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(key)) {
    const rule =
      'start and end with lowercase alphanumeric, and contain only lowercase alphanumeric';
    throw new ToolFailure(`key "${key}" must ${rule} and hyphens`, 2);
  }
  if (RESERVED.includes(key)) {
    throw new ToolFailure(`cannot set reserved action key "${key}"`, 2);
  }
}

function requireAction(world: World) {
  if (world.event.action === undefined) {
    throw new ToolFailure('not running an action');
  }
  return world.event.action;
}

function set(target: Record<string, unknown>, path: readonly string[], value: string): void {
  const [head = '', ...tail] = path;
  if (tail.length === 0) {
    target[head] = value;
    return;
  }
  const child = target[head];
  const map = typeof child === 'object' && child !== null ? (child as Record<string, unknown>) : {};
  target[head] = map;
  set(map, tail, value);
}
