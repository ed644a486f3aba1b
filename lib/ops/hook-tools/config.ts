/** config-get. */
import { callJson, type HookToolRunner } from './runner.ts';
import { plainMap } from './values.ts';

/** All options that have a value, defaults included. */
export function configGet(tools: HookToolRunner): Readonly<Record<string, unknown>> {
  return plainMap(callJson(tools, { tool: 'config-get', args: [] }));
}
