/** state-get, state-set, state-delete: a map of texts Juju keeps for the unit. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { stringMapYaml } from './text.ts';
import { stringMap } from './values.ts';

/** The whole map; with what this hook changed. */
export function stateGet(tools: HookToolRunner): Readonly<Record<string, string>>;
/** One value; empty where there is no such key. */
export function stateGet(tools: HookToolRunner, key: string): string;
export function stateGet(
  tools: HookToolRunner,
  key?: string,
): string | Readonly<Record<string, string>> {
  const value = callJson(tools, { tool: 'state-get', args: ['--', key ?? '-'] });
  if (key === undefined) {
    return stringMap(value);
  }
  return typeof value === 'string' ? value : '';
}

/**
 * Sets keys in one call, the others stay; an empty value is a value. Juju keeps them when the hook
 * succeeds: keys of at most 256 bytes, values of at most 64 KiB, 2 MiB in all unless the model's
 * `max-charm-state-size` says otherwise.
 */
export function stateSet(tools: HookToolRunner, values: Readonly<Record<string, string>>): void {
  callTool(tools, {
    tool: 'state-set',
    args: ['--file', '-'],
    stdin: stringMapYaml(values),
  });
}

/** Deletes a key; none of that name is fine. */
export function stateDelete(tools: HookToolRunner, key: string): void {
  callTool(tools, { tool: 'state-delete', args: ['--', key] });
}
