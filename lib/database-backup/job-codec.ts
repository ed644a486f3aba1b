/** Requirer databag text ↔ jobs. */
import { readItems } from './items.ts';
import type { Job, JobIssue, JobType, JsonObject, StorageConfig } from './job.ts';
import { encodeItems, isObject, textField, unknownKeys } from './wire.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'job-id',
  'job-type',
  'job-config',
  'storage-interface',
  'storage-config',
  'artefact-path',
  'requested-at',
]);

/** Reads the `jobs` value of a requirer's application databag. Never throws; good items survive bad ones. */
export function parseJobs(text: string | undefined): {
  readonly jobs: readonly Job[];
  readonly issues: readonly JobIssue[];
  /** False where the text is no list at all: then nothing is known of what is asked for. */
  readonly isReadable: boolean;
} {
  const { items, issues, isReadable } = readItems(text, 'job', restoreWithoutArtefact);
  return { jobs: items.map(toJob), issues, isReadable };
}

/**
 * Writes the `jobs` value of a requirer's application databag; equal jobs give equal text.
 * @throws HintError with code `invalid-job` when a job breaks the schema
 */
export function encodeJobs(jobs: readonly Job[]): string {
  return encodeItems('job', jobs.map(fromJob));
}

function restoreWithoutArtefact(item: JsonObject, path: string): string | undefined {
  const isMissing = !item['artefact-path'];
  return item['job-type'] === 'restore' && isMissing
    ? `${path}/artefact-path: is missing, and a restore needs it`
    : undefined;
}

function toJob(item: JsonObject): Job {
  const config = item['job-config'];
  return {
    jobId: item['job-id'] as string,
    jobType: item['job-type'] as JobType,
    compression: isObject(config) && config['compression'] === true,
    storageConfig: item['storage-config'] as unknown as StorageConfig,
    ...textField('artefactPath', item['artefact-path']),
    ...textField('requestedAt', item['requested-at']),
    ...unknownKeys(item, KNOWN_KEYS),
  };
}

function fromJob(job: Job): Record<string, unknown> {
  return {
    ...job.extra,
    'job-id': job.jobId,
    'job-type': job.jobType,
    'job-config': { compression: job.compression },
    'storage-interface': 's3',
    'storage-config': job.storageConfig,
    'artefact-path': job.artefactPath,
    'requested-at': job.requestedAt,
  };
}
