/** Tools whose subject does not exist in a sandbox: they answer as Juju does when it has nothing. */
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool } from './tool.ts';
import { refuseExtra, ToolError, usageError } from './tool-error.ts';

const storageList: Tool = {
  name: 'storage-list',
  summary: 'List storage attached to the unit.',
  usage: '[options] [<storage-name>]',
  flags: OUTPUT_FLAGS,
  run(call) {
    refuseExtra(call.args.slice(1));
    return answer(call, []);
  },
};

const storageGet: Tool = {
  name: 'storage-get',
  summary: 'Print information for the storage instance with the specified ID.',
  usage: '[options] [<key>]',
  flags: { ...OUTPUT_FLAGS, storage: { kind: 'text', aliases: ['s'] } },
  run({ flags }) {
    const id = flags.text('storage');
    if (id === undefined || id === '') {
      throw usageError('no storage instance specified');
    }
    throw usageError(`invalid value ${JSON.stringify(id)} for option -s: storage not found`);
  },
};

const storageAdd: Tool = {
  name: 'storage-add',
  summary: 'Add storage instances.',
  usage: '<charm storage name>[=count] ...',
  flags: {},
  run({ args }) {
    if (args.length === 0) {
      throw usageError('storage add requires a storage directive');
    }
    throw new ToolError('cannot add storage: the sandbox has no storage');
  },
};

const resourceGet: Tool = {
  name: 'resource-get',
  summary: 'Get the path to the locally cached resource file.',
  usage: '<resource name>',
  flags: {},
  run({ args: [name] }) {
    if (name === undefined || name === '') {
      throw usageError('missing required resource name');
    }
    throw new ToolError(
      `could not download resource: resource ${JSON.stringify(name)} has no content, the sandbox keeps no resources`,
    );
  },
};

const jujuReboot: Tool = {
  name: 'juju-reboot',
  summary: 'Reboot the host machine.',
  usage: '[options]',
  flags: { now: { kind: 'boolean' } },
  run({ context }) {
    throw new ToolError(
      context.isAction
        ? 'juju-reboot is not supported when running an action.'
        : 'juju-reboot is not supported in the sandbox: it would reboot your machine',
    );
  },
};

const credentialGet: Tool = {
  name: 'credential-get',
  summary: 'Access cloud credentials.',
  usage: '[options]',
  flags: OUTPUT_FLAGS,
  run() {
    throw new ToolError('cannot access cloud credentials: the sandbox has no cloud');
  },
};

export const refusedTools: readonly Tool[] = [
  storageList,
  storageGet,
  storageAdd,
  resourceGet,
  jujuReboot,
  credentialGet,
];
