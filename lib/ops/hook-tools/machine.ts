/** juju-reboot and unit-get. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { optionalString } from './values.ts';

/**
 * Has Juju reboot the machine when the hook has succeeded. With `now` Juju kills the hook at once,
 * drops what it changed, and runs it again after the reboot. Refused in actions.
 */
export function jujuReboot(tools: HookToolRunner, options: { readonly now: boolean }): void {
  callTool(tools, { tool: 'juju-reboot', args: options.now ? ['--now'] : [] });
}

/** The unit's address, as Juju knew it before there were bindings; networkGet() tells more. */
export function unitGet(
  tools: HookToolRunner,
  setting: 'private-address' | 'public-address',
): string | undefined {
  return optionalString(callJson(tools, { tool: 'unit-get', args: [setting] }));
}
