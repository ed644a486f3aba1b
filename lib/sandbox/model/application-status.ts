/** An application's status: what the leader said, else the worst of its units. */
import type { StatusInfo } from '../api-status.ts';
import type { Reader } from '../store/store.ts';
import type { UnitDocument } from './documents.ts';
import { compareUnits } from './names.ts';

const WORST_FIRST = [
  'error',
  'blocked',
  'maintenance',
  'waiting',
  'active',
  'terminated',
  'unknown',
];

export function applicationStatus(reader: Reader, application: string): StatusInfo {
  const { status, created } = reader.require('application', application);
  if (status !== undefined) {
    return status;
  }
  const units = reader
    .within('unit', application)
    .toSorted((a, b) => compareUnits(a.name, b.name))
    .map(workloadStatus);
  const worst = WORST_FIRST.flatMap((kind) => units.find(({ current }) => current === kind) ?? []);
  return worst[0] ?? { current: 'unknown', since: created };
}

/** A failed hook is an agent's error, and shown as the workload's; of a lost agent's workload nothing is known. */
export function workloadStatus(unit: UnitDocument): StatusInfo {
  if (isLost(unit)) {
    const { since } = unit.workload;
    const message = `agent lost, see 'juju show-status-log ${unit.name}'`;
    return { current: 'unknown', message, ...(since === undefined ? {} : { since }) };
  }
  return unit.agent.current === 'error' ? { ...unit.agent, current: 'error' } : unit.workload;
}

/** A failed hook shows as the workload's error; the agent itself is well. */
export function agentStatus(unit: UnitDocument): StatusInfo {
  const { since } = unit.agent;
  const time = since === undefined ? {} : { since };
  if (isLost(unit)) {
    return { current: 'lost', message: 'agent is not communicating with the server', ...time };
  }
  return unit.agent.current === 'error' ? { current: 'idle', ...time } : unit.agent;
}

/**
 * An agent that does not answer is lost, unless it is not installed yet.
 * https://github.com/juju/juju/blob/3.6/apiserver/common/unitstatus.go
 */
function isLost({ agentStoppedAt, agent, workload }: UnitDocument): boolean {
  if (agentStoppedAt === undefined || agent.current === 'allocating') {
    return false;
  }
  return agent.current === 'executing'
    ? agent.message !== 'running install hook'
    : workload.current !== 'maintenance' || workload.message !== 'installing charm software';
}
