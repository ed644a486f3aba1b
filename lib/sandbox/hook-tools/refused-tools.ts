/** Tools whose subject does not exist in a sandbox: they answer as Juju does when it has nothing. */
import { OUTPUT_FLAGS } from './output.ts';
import type { Tool } from './tool.ts';
import { ToolError, usageError } from './tool-error.ts';

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

export const refusedTools: readonly Tool[] = [resourceGet, jujuReboot, credentialGet];
