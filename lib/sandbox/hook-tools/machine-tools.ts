/** juju-reboot, credential-get. */
import { killNotedProcess } from '../agent/orphans.ts';
import { unitDirectory } from '../agent/unit-directory.ts';
import { answer, OUTPUT_FLAGS } from './output.ts';
import type { Tool } from './tool.ts';
import { refuseExtra, ToolError } from './tool-error.ts';

const jujuReboot: Tool = {
  name: 'juju-reboot',
  summary: 'Reboot the host machine.',
  usage: '[options]',
  flags: { now: { kind: 'boolean' } },
  run({ args, context, flags }) {
    refuseExtra(args);
    if (context.isAction) {
      throw new ToolError('juju-reboot is not supported when running an action.');
    }
    context.requestReboot();
    if (flags.boolean('now')) {
      // Ends the caller too; killed from outside, a hook is queued again.
      killNotedProcess(unitDirectory(context.services.paths, context.unit));
    }
    return undefined;
  },
};

/** What a cloud of machines without an API answers: who it is, and no credential. */
const credentialGet: Tool = {
  name: 'credential-get',
  summary: 'Access cloud credentials.',
  usage: '[options]',
  flags: OUTPUT_FLAGS,
  run(call) {
    const { args, context } = call;
    refuseExtra(args);
    if (!context.store.require('application', context.application).trust) {
      throw new ToolError('cannot access cloud credentials: permission denied');
    }
    return answer(call, {
      type: 'manual',
      name: 'localhost',
      region: 'localhost',
      credential: { 'auth-type': 'empty' },
    });
  },
};

export const machineTools: readonly Tool[] = [jujuReboot, credentialGet];
