/** storage-list, storage-get, storage-add. */
import { storageLocation } from '../agent/storage-directories.ts';
import { parseStorageDirectives } from '../model/storage-directive.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool, ToolCall } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const storageList: Tool = {
  name: 'storage-list',
  summary: 'List storage attached to the unit.',
  usage: '[options] [<storage-name>]',
  flags: OUTPUT_FLAGS,
  run(call) {
    const [name, ...extra] = call.args;
    refuseExtra(extra);
    const ids = call.context.storage.attached
      .filter((one) => name === undefined || one.name === name)
      .map(({ id }) => id);
    return answer(call, ids);
  },
};

const storageGet: Tool = {
  name: 'storage-get',
  summary: 'Print information for the storage instance with the specified ID.',
  usage: '[options] [<key>]',
  flags: { ...OUTPUT_FLAGS, storage: { kind: 'text', aliases: ['s'] } },
  run(call) {
    const { context } = call;
    const found = findStorage(call);
    const [key, ...extra] = call.args;
    refuseExtra(extra);
    const values: Readonly<Record<string, string>> = {
      kind: 'filesystem',
      location: storageLocation(context.services.paths, found) ?? '',
    };
    if (key === undefined || key === '') {
      return answer(call, values);
    }
    if (values[key] === undefined) {
      throw new ToolError(`invalid storage attribute ${JSON.stringify(key)}`);
    }
    return answer(call, values[key]);
  },
};

/** The storage of `-s`, else that of the running storage hook. */
function findStorage({ flags, context }: ToolCall) {
  const { hook, storage } = context;
  const told = flags.text('storage');
  const id = told ?? (hook?.kind === 'storage' ? hook.storage : undefined);
  if (id === undefined || id === '') {
    throw usageError('no storage instance specified');
  }
  const found = storage.find(id);
  if (found === undefined) {
    throw usageError(`invalid value ${JSON.stringify(id)} for option -s: storage not found`);
  }
  return found;
}

const storageAdd: Tool = {
  name: 'storage-add',
  summary: 'Add storage instances.',
  usage: '<charm storage name>[=count] ...',
  flags: {},
  run({ args, context }) {
    if (args.length === 0) {
      throw usageError('storage add requires a storage directive');
    }
    for (const [name, { pool, size, count }] of Object.entries(directives(args))) {
      if (pool !== undefined || size !== undefined) {
        throw usageError(`only count can be specified for ${JSON.stringify(name)}`);
      }
      context.storage.add(name, count);
    }
    return undefined;
  },
};

function directives(args: readonly string[]) {
  try {
    return parseStorageDirectives(args, { valueRequired: false });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

export const storageTools: readonly Tool[] = [storageList, storageGet, storageAdd];
