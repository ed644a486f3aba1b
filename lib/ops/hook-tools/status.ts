/** status-get and status-set. */
import { callJson, callTool, type HookToolRunner } from './runner.ts';
import { argumentText } from './text.ts';
import { optionalString, plainMap } from './values.ts';

export interface StatusValue {
  readonly status: string;
  readonly message: string;
}

/** A status as Juju keeps it. */
export interface StatusFacts extends StatusValue {
  /** What Juju itself noted with it; charms cannot set it. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface ApplicationStatusFacts extends StatusFacts {
  /** Statuses of all units, by name. */
  readonly units: Readonly<Record<string, StatusFacts>>;
}

/** The own status of the unit. */
export function statusGet(tools: HookToolRunner): StatusFacts {
  return parseStatus(callStatus(tools, false));
}

/** The status of the application with those of its units. @throws NotLeaderError */
export function applicationStatusGet(tools: HookToolRunner): ApplicationStatusFacts {
  const value = plainMap(plainMap(callStatus(tools, true))['application-status']);
  const units = Object.entries(plainMap(value['units']));
  return {
    ...parseStatus(value),
    units: Object.fromEntries(units.map(([name, status]) => [name, parseStatus(status)])),
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

function callStatus(tools: HookToolRunner, application: boolean): unknown {
  const args = ['--include-data', `--application=${application}`];
  return callJson(tools, { tool: 'status-get', args });
}

function parseStatus(value: unknown): StatusFacts {
  const fields = plainMap(value);
  return {
    status: optionalString(fields['status']) ?? 'unknown',
    message: optionalString(fields['message']) ?? '',
    data: plainMap(fields['status-data']),
  };
}
