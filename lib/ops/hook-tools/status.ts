/** status-get and status-set. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { argumentText } from './text.ts';
import { optionalString, plainMap } from './values.ts';

export interface StatusValue {
  readonly status: string;
  readonly message: string;
}

export function statusGet(
  tools: HookToolRunner,
  options: { readonly application: boolean },
): StatusValue {
  const value = plainMap(
    callJson(tools, {
      tool: 'status-get',
      args: ['--include-data', `--application=${options.application}`],
    }),
  );
  const status = options.application ? plainMap(value['application-status']) : value;
  return {
    status: optionalString(status['status']) ?? 'unknown',
    message: optionalString(status['message']) ?? '',
  };
}

/** Takes effect at once, also when the hook fails later. */
export function statusSet(
  tools: HookToolRunner,
  value: StatusValue,
  options: { readonly application: boolean },
): void {
  callTool(tools, {
    tool: 'status-set',
    args: [`--application=${options.application}`, value.status, '--', argumentText(value.message)],
  });
}
