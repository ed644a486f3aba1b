/** What the unit's status says to a person. Pure. */
import type { JobRecord } from '#backup-runner';
import { ActiveStatus, BlockedStatus, MaintenanceStatus, type SettableStatus } from '#ops';
import type { DatabaseState } from './database.ts';

export interface StatusInput {
  /** Settings the administrator must mend. */
  readonly issues: readonly string[];
  readonly state: DatabaseState;
  readonly jobs: readonly JobRecord[];
  /** Why the database does not serve, where it should. */
  readonly problem?: string | undefined;
  /** Where there are several units: whether this is the one that is backed up, and which is. */
  readonly role?: 'primary' | 'other';
  readonly primary?: string;
  /** Relations whose requests cannot be read. */
  readonly unreadable?: readonly string[];
}

/** All that is to be said; the most severe is shown. */
export function describeUnit(input: StatusInput): readonly SettableStatus[] {
  const { issues, problem, unreadable = [] } = input;
  return [
    ...issues.map((issue) => new BlockedStatus(issue)),
    ...(problem === undefined ? [] : [new BlockedStatus(problem)]),
    describeDatabase(input, unreadable),
  ];
}

function describeDatabase(
  { state, jobs, role, primary }: StatusInput,
  unreadable: readonly string[],
): SettableStatus {
  const running = jobs.filter((job) => job.state === 'running');
  const restore = running.find((job) => job.jobType === 'restore');
  if (restore !== undefined) {
    return new MaintenanceStatus(`restoring${percentOf(restore)}…`);
  }
  switch (state.kind) {
    case 'absent':
      return new MaintenanceStatus('installing PostgreSQL');
    case 'restoring':
    case 'interrupted':
      return new MaintenanceStatus('bringing the database back to order after a restore');
    case 'down':
      return new MaintenanceStatus(`starting PostgreSQL ${state.major}`);
    case 'serving': {
      const base = `PostgreSQL ${state.major} on port ${state.port}`;
      const notes = [
        describeRole(role, primary),
        describeBackups(running),
        describeUnreadable(unreadable),
      ];
      return new ActiveStatus([base, ...notes.filter((note) => note !== '')].join(', '));
    }
  }
}

function describeRole(role: StatusInput['role'], primary = ''): string {
  if (role === undefined) {
    return '';
  }
  return role === 'primary' ? 'primary' : `not backed up: ${primary} is the primary`;
}

function describeBackups(running: readonly JobRecord[]): string {
  const [first] = running;
  if (first === undefined) {
    return '';
  }
  return running.length === 1
    ? `backing up${percentOf(first)}`
    : `${running.length} backups running`;
}

function describeUnreadable(unreadable: readonly string[]): string {
  return unreadable.length === 0
    ? ''
    : `unusable requests from ${unreadable.join(', ')}: see juju debug-log`;
}

function percentOf({ progress }: JobRecord): string {
  return progress?.percent === undefined ? '' : ` (${Math.floor(progress.percent)}%)`;
}
