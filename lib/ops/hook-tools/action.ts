/** action-get, action-set, action-log, action-fail. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { argumentText, argumentTexts, spellNul } from './text.ts';
import { plainMap } from './values.ts';

/** Params of the running action, with the defaults of actions.yaml. */
export function actionGet(tools: HookToolRunner): Readonly<Record<string, unknown>> {
  return plainMap(callJson(tools, { tool: 'action-get', args: [] }));
}

/** Merges results; keys are dotted paths. Errors name the keys only: results may be confidential. */
export function actionSet(tools: HookToolRunner, results: Readonly<Record<string, string>>): void {
  const entries = Object.entries(results);
  callTool(tools, {
    tool: 'action-set',
    args: entries.map(([key, value]) => `${key}=${spellNul(value)}`),
    shownArgs: entries.map(([key]) => `${key}=…`),
  });
}

/** Shows a line to whoever waits for the action, in several where it is longer than an argument. */
export function actionLog(tools: HookToolRunner, message: string): void {
  for (const piece of argumentTexts(message)) {
    callTool(tools, { tool: 'action-log', args: ['--', piece] });
  }
}

/** Marks the action as failed; the charm goes on and its changes are kept. */
export function actionFail(tools: HookToolRunner, message?: string): void {
  const args = message === undefined ? [] : ['--', argumentText(message)];
  callTool(tools, { tool: 'action-fail', args });
}
