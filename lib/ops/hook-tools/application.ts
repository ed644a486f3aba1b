/** Facts of the application: is-leader, goal-state, application-version-set. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { argumentText } from './text.ts';
import { optionalString, plainMap } from './values.ts';

export function isLeader(tools: HookToolRunner): boolean {
  return callJson(tools, { tool: 'is-leader', args: [] }) === true;
}

export interface GoalState {
  /** Unit name → status; own units, this one included. */
  readonly units: Readonly<Record<string, string>>;
}

export function goalState(tools: HookToolRunner): GoalState {
  const value = plainMap(callJson(tools, { tool: 'goal-state', args: [] }));
  const units = Object.entries(plainMap(value['units'])).map(
    ([name, unit]) => [name, optionalString(plainMap(unit)['status']) ?? ''] as const,
  );
  return { units: Object.fromEntries(units) };
}

/** Sets what `juju status` shows as the version of the workload. */
export function applicationVersionSet(tools: HookToolRunner, version: string): void {
  callTool(tools, { tool: 'application-version-set', args: ['--', argumentText(version)] });
}
