/** Provider databag text ↔ job statuses. Secrets are left out on the way to the wire. */
import type { JsonValue } from '#system';
import { readItems } from './items.ts';
import type {
  Job,
  JobIssue,
  JobProgress,
  JobQueue,
  JobState,
  JobStatus,
  JobType,
  JsonObject,
  StorageConfig,
} from './job.ts';
import { redactStorageConfig } from './redact.ts';
import { isStorageConfig } from './schema.ts';
import { countField, encodeItems, isObject, textField, unknownKeys } from './wire.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'job-id',
  'job-type',
  'job-config',
  'storage-interface',
  'storage-config',
  'artefact-path',
  'status',
  'message',
  'progress',
  'phase',
  'error-code',
  'hint',
  'size',
  'stored-size',
  'key-id',
  'queue',
  'log-tail',
  'report',
  'undoable-until',
  'requested-at',
  'started-at',
  'finished-at',
]);

const MAX_LOG_LINES = 20;

/** Reads the `jobs` value of a provider unit's databag. Never throws; good items survive bad ones. */
export function parseJobStatuses(text: string | undefined): {
  readonly statuses: readonly JobStatus[];
  readonly issues: readonly JobIssue[];
} {
  const { items, issues } = readItems(text, 'job-status');
  return { statuses: items.map(toStatus), issues };
}

/**
 * Writes the `jobs` value of a provider unit's databag; equal statuses give equal text.
 * The echo of storage-config is redacted, see redactStorageConfig.
 * @throws HintError with code `invalid-job` when a status breaks the schema
 */
export function encodeJobStatuses(statuses: readonly JobStatus[]): string {
  return encodeItems('job-status', statuses.map(fromStatus));
}

/** The status of `job` with what the interface wants repeated; unknown keys are echoed. */
export function statusOf(
  job: Job,
  outcome: Omit<JobStatus, 'jobId' | 'jobType' | 'compression' | 'storageConfig' | 'extra'>,
): JobStatus {
  return {
    jobId: job.jobId,
    jobType: job.jobType,
    compression: job.compression,
    storageConfig: job.storageConfig,
    ...(job.artefactPath === undefined ? {} : { artefactPath: job.artefactPath }),
    ...(job.extra === undefined ? {} : { extra: job.extra }),
    ...outcome,
  };
}

/** The answer to an item that is no job; undefined when there is no job-id to answer to. */
export function rejectionOf(issue: JobIssue): JobStatus | undefined {
  if (issue.jobId === undefined) {
    return undefined;
  }
  const raw = isObject(issue.raw) ? issue.raw : {};
  return {
    jobId: issue.jobId,
    jobType: raw['job-type'] === 'restore' ? 'restore' : 'backup',
    // The schema demands an echo; where there is nothing valid to echo, it is empty.
    storageConfig: isStorageConfig(raw['storage-config'])
      ? (raw['storage-config'] as unknown as StorageConfig)
      : { bucket: '', 'access-key': '', 'secret-key': '' },
    status: 'error',
    errorCode: 'invalid-job',
    message: `invalid job: ${issue.message}`,
    hint: 'correct the item and ask again under a new job-id',
  };
}

function toStatus(item: JsonObject): JobStatus {
  const config = item['job-config'];
  const progress = toProgress(item['progress']);
  return {
    jobId: item['job-id'] as string,
    jobType: item['job-type'] as JobType,
    status: item['status'] as JobState,
    ...(isObject(config) ? { compression: config['compression'] === true } : {}),
    storageConfig: item['storage-config'] as unknown as StorageConfig,
    ...textField('message', item['message']),
    ...textField('artefactPath', item['artefact-path']),
    ...(progress === undefined ? {} : { progress }),
    ...textField('phase', item['phase']),
    ...textField('errorCode', item['error-code']),
    ...textField('hint', item['hint']),
    ...countField('size', item['size']),
    ...countField('storedSize', item['stored-size']),
    ...textField('keyId', item['key-id']),
    ...queueOf(item['queue']),
    ...logTailOf(item['log-tail']),
    ...textField('report', item['report']),
    ...textField('undoableUntil', item['undoable-until']),
    ...textField('requestedAt', item['requested-at']),
    ...textField('startedAt', item['started-at']),
    ...textField('finishedAt', item['finished-at']),
    ...unknownKeys(item, KNOWN_KEYS),
  };
}

function toProgress(value: JsonValue | undefined): JobProgress | undefined {
  if (!isObject(value)) {
    return undefined;
  }
  const { bytes } = countField('bytes', value['bytes']);
  if (bytes === undefined) {
    return undefined;
  }
  return {
    bytes,
    ...countField('total', value['total']),
    ...countField('percent', value['percent']),
    ...countField('etaSeconds', value['eta-seconds']),
  };
}

function queueOf(value: JsonValue | undefined): { readonly queue?: JobQueue } {
  const { position } = countField('position', isObject(value) ? value['position'] : undefined);
  if (!isObject(value) || position === undefined) {
    return {};
  }
  return { queue: { position, waitsFor: textsOf(value['waits-for']) } };
}

function logTailOf(value: JsonValue | undefined): { readonly logTail?: readonly string[] } {
  const lines = textsOf(value).slice(-MAX_LOG_LINES);
  return lines.length === 0 ? {} : { logTail: lines };
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function fromStatus(status: JobStatus): Record<string, unknown> {
  return {
    ...status.extra,
    'job-id': status.jobId,
    'job-type': status.jobType,
    'job-config':
      status.compression === undefined ? undefined : { compression: status.compression },
    'storage-interface': 's3',
    'storage-config': redactStorageConfig(status.storageConfig),
    status: status.status,
    message: status.message,
    'artefact-path': status.artefactPath,
    progress: status.progress && {
      bytes: status.progress.bytes,
      total: status.progress.total,
      percent: status.progress.percent,
      'eta-seconds': status.progress.etaSeconds,
    },
    phase: status.phase,
    'error-code': status.errorCode,
    hint: status.hint,
    size: status.size,
    'stored-size': status.storedSize,
    'key-id': status.keyId,
    queue: status.queue && {
      position: status.queue.position,
      'waits-for': status.queue.waitsFor,
    },
    'log-tail': status.logTail?.slice(-MAX_LOG_LINES),
    report: status.report,
    'undoable-until': status.undoableUntil,
    'requested-at': status.requestedAt,
    'started-at': status.startedAt,
    'finished-at': status.finishedAt,
  };
}
