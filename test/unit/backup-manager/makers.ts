/** Makers of test data: a plausible whole with the parts that matter replaced. */
import type { Job, UnitJobStatus } from '#database-backup';
import type { HistoryEntry } from '../../../charms/backup-manager/src/history.ts';
import type { ReconcileInput, RelationView } from '../../../charms/backup-manager/src/reconcile.ts';

export const now = new Date('2026-11-21T03:00:00.000Z');

export const storageConfig = {
  bucket: 'b',
  'access-key': 'AK-PLANTED',
  'secret-key': 'SK-PLANTED',
};

export function aJob(parts: Partial<Job> = {}): Job {
  return { jobId: 'job-1', jobType: 'backup', compression: true, storageConfig, ...parts };
}

export function anEntry(parts: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    jobId: 'job-1',
    jobType: 'backup',
    database: 'db',
    relationId: 4,
    state: 'requested',
    requestedAt: '2026-11-21T02:00:00.000Z',
    ...parts,
  };
}

export function aStatus(parts: Partial<UnitJobStatus> = {}): UnitJobStatus {
  return {
    jobId: 'job-1',
    jobType: 'backup',
    status: 'running',
    storageConfig: { bucket: 'b', 'access-key': '', 'secret-key': '' },
    unit: 'db/0',
    ...parts,
  };
}

export function aRelation(parts: Partial<RelationView> = {}): RelationView {
  return {
    relationId: 4,
    database: 'db',
    requested: [aJob()],
    statuses: [],
    units: ['db/0'],
    ...parts,
  };
}

export function anInput(parts: Partial<ReconcileInput> = {}): ReconcileInput {
  const relations = parts.relations ?? [aRelation()];
  return {
    history: [anEntry()],
    lastBackups: new Map(),
    living: new Set(relations.map((relation) => relation.relationId)),
    relations,
    isSettled: false,
    now,
    ...parts,
  };
}

/** A backup as the bucket lists it, made by `db` of the stage's model. */
export const artefact = {
  artefactPath: 'prod/shop/db/backups/20261121T020000Z-job-9/',
  createdAt: '2026-11-21T02:00:00.000Z',
  bytes: 2048,
  storedBytes: 1024,
  application: 'db',
  model: 'shop',
  engine: 'postgresql',
  engineVersion: '15',
  jobId: 'job-9',
  marks: { isKept: false, isPinned: false },
};
