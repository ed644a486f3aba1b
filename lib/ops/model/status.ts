/** Workload statuses as values, and their order of severity. */

export type StatusName =
  | 'active'
  | 'blocked'
  | 'maintenance'
  | 'waiting'
  | 'unknown'
  | 'error'
  | 'terminated';

/** A status and its message: short, one line, for the administrator. */
export abstract class Status {
  abstract readonly name: StatusName;
  readonly message: string;

  constructor(message = '') {
    this.message = message;
  }

  /** Whether both say the same. */
  equals(other: Status): boolean {
    return this.name === other.name && this.message === other.message;
  }

  toString(): string {
    return this.message === '' ? this.name : `${this.name}: ${this.message}`;
  }
}

/** The workload does what it is there for. */
export class ActiveStatus extends Status {
  readonly name = 'active';
}

/** An administrator must do something; the message says what. */
export class BlockedStatus extends Status {
  readonly name = 'blocked';
}

/** The charm itself is busy. */
export class MaintenanceStatus extends Status {
  readonly name = 'maintenance';
}

/** Something is owed by another application or unit, not by an administrator. */
export class WaitingStatus extends Status {
  readonly name = 'waiting';
}

/** Never set, or not to be seen from here. Only Juju sets it. */
export class UnknownStatus extends Status {
  readonly name = 'unknown';
}

/** A hook failed. Only Juju sets it. */
export class ErrorStatus extends Status {
  readonly name = 'error';
}

/** The unit is gone. Only Juju sets it. */
export class TerminatedStatus extends Status {
  readonly name = 'terminated';
}

/** What a charm may set. */
export type SettableStatus = ActiveStatus | BlockedStatus | MaintenanceStatus | WaitingStatus;

const CLASSES: Readonly<Record<StatusName, new (message?: string) => Status>> = {
  active: ActiveStatus,
  blocked: BlockedStatus,
  maintenance: MaintenanceStatus,
  waiting: WaitingStatus,
  unknown: UnknownStatus,
  error: ErrorStatus,
  terminated: TerminatedStatus,
};

/** The status of a name Juju uses; an unknown name gives UnknownStatus. */
export function statusFromName(name: string, message: string): Status {
  const known = Object.entries(CLASSES).find(([candidate]) => candidate === name);
  return new (known?.[1] ?? UnknownStatus)(message);
}

const SEVERITY: Readonly<Record<SettableStatus['name'], number>> = {
  blocked: 4,
  maintenance: 3,
  waiting: 2,
  active: 1,
};

/** The most severe status; the first added among equals. */
export function mostSevere(statuses: readonly SettableStatus[]): SettableStatus | undefined {
  let worst: SettableStatus | undefined;
  for (const status of statuses) {
    if (worst === undefined || SEVERITY[status.name] > SEVERITY[worst.name]) {
      worst = status;
    }
  }
  return worst;
}
