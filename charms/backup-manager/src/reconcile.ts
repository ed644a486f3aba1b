/**
 * From what was asked and what the databases tell to a new history. Pure: the same inputs give the
 * same plan, so lost, repeated and reordered events change nothing.
 */
import type { Job, UnitJobStatus } from '#database-backup';
import { type HistoryEntry, isFinished, type LastBackups } from './history.ts';
import { completed, shrunkFrom, withRestores } from './last-backups.ts';

export interface RelationView {
  readonly relationId: number;
  readonly database: string;
  /** Our own requests in the relation. */
  readonly requested: readonly Job[];
  readonly statuses: readonly UnitJobStatus[];
  /** Names of the database's units known here. */
  readonly units: readonly string[];
}

export interface ReconcileInput {
  readonly history: readonly HistoryEntry[];
  readonly lastBackups: LastBackups;
  /** Ids of all relations to databases that still exist. */
  readonly living: ReadonlySet<number>;
  /** What lies in those with unfinished jobs, at least. */
  readonly relations: readonly RelationView[];
  /** A provider unit that has just left for good. */
  readonly departedUnit?: string | undefined;
  /** Whether `units` is complete: a new unit of ours gets to know the others one event at a time. */
  readonly isSettled: boolean;
  readonly now: Date;
}

export interface ReconcilePlan {
  readonly history: readonly HistoryEntry[];
  readonly lastBackups: LastBackups;
  /** Entries that ended just now, to be told to the administrator once. */
  readonly outcomes: readonly HistoryEntry[];
  /** Relation id → requests to keep; those with an outcome are withdrawn, and their keys with them. */
  readonly requests: ReadonlyMap<number, readonly Job[]>;
}

// Words of a provider we do not know may be of any length.
const MAX_TEXT = 1000;
const MAX_REPORT = 4000;
const MAX_LOG_LINE = 300;

/** Takes in what the databases say. An outcome once recorded is never changed. */
export function planReconcile(input: ReconcileInput): ReconcilePlan {
  const before = [...input.history, ...unknownRequests(input)];
  const history = before.map((entry) => (isFinished(entry) ? entry : advance(entry, input)));
  const outcomes = history.filter((entry, at) => {
    const earlier = before[at];
    return isFinished(entry) && earlier !== undefined && !isFinished(earlier);
  });
  const open = new Set(history.filter((entry) => !isFinished(entry)).map((entry) => entry.jobId));
  return {
    history,
    outcomes,
    lastBackups: planLastBackups(input, outcomes),
    requests: new Map(
      input.relations.map((relation) => [
        relation.relationId,
        relation.requested.filter((job) => open.has(job.jobId)),
      ]),
    ),
  };
}

/** Requests the history does not know, should the peer databag ever have lost them. */
function unknownRequests(input: ReconcileInput): readonly HistoryEntry[] {
  const known = new Set(input.history.map((entry) => entry.jobId));
  return input.relations.flatMap(({ relationId, database, requested }) =>
    requested
      .filter((job) => !known.has(job.jobId))
      .map((job) => newEntry(job, { relationId, database, now: input.now })),
  );
}

/** The first entry of a job, as it is asked. */
export function newEntry(
  job: Job,
  at: { readonly relationId: number; readonly database: string; readonly now: Date },
): HistoryEntry {
  return {
    jobId: job.jobId,
    jobType: job.jobType,
    database: at.database,
    relationId: at.relationId,
    state: 'requested',
    requestedAt: job.requestedAt ?? at.now.toISOString(),
    artefactPath: job.artefactPath,
    label: job.label,
    isDryRun: job.isDryRun,
    isForced: job.isForced,
    undoOf: job.undoOf,
    isEncrypted: job.jobType === 'backup' && job.encryption !== undefined ? true : undefined,
    items: job.items,
  };
}

/** The entry of a job that was withdrawn because its database knows no cancel. */
export function withdrawn(entry: HistoryEntry, now: Date): HistoryEntry {
  return {
    ...entry,
    held: undefined,
    state: 'error',
    cancelRequestedAt: now.toISOString(),
    finishedAt: now.toISOString(),
    message:
      entry.held === undefined
        ? 'cancelled: withdrawn; this database does not tell what became of it'
        : 'cancelled before it was sent to the database',
    errorCode: 'cancelled',
  };
}

function advance(entry: HistoryEntry, input: ReconcileInput): HistoryEntry {
  const relation = input.relations.find((one) => one.relationId === entry.relationId);
  if (!input.living.has(entry.relationId)) {
    return lost(entry, input.now, `relation to ${entry.database} removed`);
  }
  if (relation === undefined || entry.held !== undefined) {
    return entry;
  }
  const status = bestStatus(relation.statuses.filter((one) => one.jobId === entry.jobId));
  if (status !== undefined) {
    const next = withStatus(entry, status, input.now);
    // Most of what is told of a running job is not kept: then nothing has changed.
    return JSON.stringify(next) === JSON.stringify(entry) ? entry : next;
  }
  if (isOrphaned(entry, relation, input)) {
    return lost(entry, input.now, `unit ${entry.unit ?? ''} is gone`);
  }
  if (!relation.requested.some((job) => job.jobId === entry.jobId)) {
    return lost(entry, input.now, 'its request disappeared from the relation');
  }
  return entry;
}

/** Whether the unit that performed it is gone, and no other has taken over telling about it. */
function isOrphaned(entry: HistoryEntry, relation: RelationView, input: ReconcileInput): boolean {
  if (entry.unit === undefined || relation.units.includes(entry.unit)) {
    return false;
  }
  // When the last unit leaves, most likely the whole relation goes; its end gives the better reason.
  const sawItLeave = entry.unit === input.departedUnit && relation.units.length > 0;
  return sawItLeave || input.isSettled;
}

// One unit performs a job. Where several speak of it, the one that did it or still does counts,
// not one that declined.
const RANK = { success: 3, running: 2, error: 1 } as const;

/** Of what several units say about one job, what counts. */
export function bestStatus(statuses: readonly UnitJobStatus[]): UnitJobStatus | undefined {
  return statuses.toSorted((a, b) => RANK[b.status] - RANK[a.status])[0];
}

function withStatus(entry: HistoryEntry, status: UnitJobStatus, now: Date): HistoryEntry {
  const startedAt = validTime(status.startedAt) ?? entry.startedAt;
  const known = withFacts(entry, status);
  if (status.status === 'running') {
    // What a running job says changes all the time and is read where it is said.
    return { ...known, state: 'running', startedAt: startedAt ?? now.toISOString() };
  }
  return {
    ...known,
    startedAt,
    finishedAt: validTime(status.finishedAt) ?? now.toISOString(),
    message: shorten(status.message),
    undoableUntil: validTime(status.undoableUntil),
    report: shorten(status.report, MAX_REPORT),
    ...(status.status === 'success'
      ? successOf(known)
      : {
          state: 'error',
          errorCode: shorten(status.errorCode),
          hint: shorten(status.hint),
          logTail: status.logTail?.map((line) => line.slice(0, MAX_LOG_LINE)),
        }),
  };
}

/** What is told again and again, and stays as it was where it is left out. */
function withFacts(entry: HistoryEntry, status: UnitJobStatus): HistoryEntry {
  return {
    ...entry,
    unit: status.unit,
    artefactPath: status.artefactPath ?? entry.artefactPath,
    size: status.size ?? entry.size,
    storedSize: status.storedSize ?? entry.storedSize,
    keyId: status.keyId ?? entry.keyId,
  };
}

/** A unit that does not know encryption, come after it was asked, may have written what everybody can read. */
function successOf({ isEncrypted, keyId, artefactPath = '' }: HistoryEntry) {
  return isEncrypted === true && keyId === undefined
    ? ({
        state: 'error',
        errorCode: 'not-encrypted',
        message: 'the backup was to be encrypted, and the database does not say that it is',
        hint: `look at it with show-backup artefact-path=${artefactPath}; refresh the charm of the database, delete this backup and make another`,
      } as const)
    : ({ state: 'success' } as const);
}

function lost(entry: HistoryEntry, now: Date, reason: string): HistoryEntry {
  return {
    ...entry,
    held: undefined,
    state: 'error',
    finishedAt: now.toISOString(),
    message: `lost: ${reason}`,
    errorCode: 'lost',
  };
}

function planLastBackups(input: ReconcileInput, outcomes: readonly HistoryEntry[]): LastBackups {
  const fresh = outcomes
    .filter((entry) => entry.jobType === 'backup' && entry.state === 'success')
    .map((entry) => ({
      ...input.lastBackups.get(entry.relationId),
      relationId: entry.relationId,
      database: entry.database,
      finishedAt: entry.finishedAt ?? input.now.toISOString(),
      artefactPath: entry.artefactPath,
      size: entry.size,
      keyId: entry.keyId,
      shrunkFrom: shrunkFrom(input.lastBackups.get(entry.relationId)?.size, entry.size),
    }));
  const before = [...input.lastBackups.values()].map((one) => completed(one, input.history));
  const all = [...before, ...fresh];
  const living = all.filter((one) => input.living.has(one.relationId));
  return withRestores(new Map(living.map((one) => [one.relationId, one])), outcomes);
}

function validTime(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

function shorten(text: string | undefined, limit = MAX_TEXT): string | undefined {
  return text !== undefined && text.length > limit ? `${text.slice(0, limit)}…` : text;
}
