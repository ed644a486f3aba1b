/** Facts of the application: is-leader, goal-state, application-version-set. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { argumentText } from './text.ts';
import { optionalString, plainMap } from './values.ts';

export function isLeader(tools: HookToolRunner): boolean {
  return callJson(tools, { tool: 'is-leader', args: [] }) === true;
}

/** What becomes of a unit or an application that is related. */
export interface Goal {
  /** Of units as in `juju status`, or `dying`; of relations `joining`, `joined`, `suspended`, … */
  readonly status: string;
  /** Since when, as Juju prints it: `2200-11-05 15:29:12Z`. */
  readonly since: string | undefined;
}

/** What the administrator asked for, reached or not. */
export interface GoalState {
  /** By name of the unit; own units, this one included. */
  readonly units: Readonly<Record<string, Goal>>;
  /** By endpoint, then by name of the remote application or unit; peer relations are not there. */
  readonly relations: Readonly<Record<string, Readonly<Record<string, Goal>>>>;
}

export function goalState(tools: HookToolRunner): GoalState {
  const value = plainMap(callJson(tools, { tool: 'goal-state', args: [] }));
  const relations = Object.entries(plainMap(value['relations']));
  return {
    units: parseGoals(value['units']),
    relations: Object.fromEntries(
      relations.map(([endpoint, goals]) => [endpoint, parseGoals(goals)]),
    ),
  };
}

function parseGoals(value: unknown): Readonly<Record<string, Goal>> {
  const goals = Object.entries(plainMap(value)).map(([name, goal]) => {
    const { status, since } = plainMap(goal);
    return [name, { status: optionalString(status) ?? '', since: optionalString(since) }] as const;
  });
  return Object.fromEntries(goals);
}

/** Sets what `juju status` shows as the version of the workload. */
export function applicationVersionSet(tools: HookToolRunner, version: string): void {
  callTool(tools, { tool: 'application-version-set', args: ['--', argumentText(version)] });
}
