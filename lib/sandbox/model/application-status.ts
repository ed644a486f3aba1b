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

/** A failed hook is an agent's error, and shown as the workload's. */
export function workloadStatus(unit: UnitDocument): StatusInfo {
  return unit.agent.current === 'error' ? { ...unit.agent, current: 'error' } : unit.workload;
}
