/** Requirer databag text ↔ jobs. */

import type { JsonValue } from '#system';
import { isSecretUri } from './credentials.ts';
import { readItems } from './items.ts';
import type {
  Job,
  JobDeadline,
  JobIssue,
  JobType,
  JsonObject,
  Recheck,
  StorageConfig,
} from './job.ts';
import { countField, encodeItems, flagField, isObject, textField, unknownKeys } from './wire.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'job-id',
  'job-type',
  'job-config',
  'storage-interface',
  'storage-config',
  'artefact-path',
  'requested-at',
  'label',
  'deadline',
  'cancel',
  'dry-run',
  'undo-of',
  'force',
  'encryption',
  'items',
  'compression-level',
  'recheck',
]);

// People read it in tables.
const MAX_LABEL = 200;
const MAX_LEVEL = 19;
const RECHECKS: readonly Recheck[] = ['sample', 'full'];

/** Reads the `jobs` value of a requirer's application databag. Never throws; good items survive bad ones. */
export function parseJobs(text: string | undefined): {
  readonly jobs: readonly Job[];
  readonly issues: readonly JobIssue[];
  /** False where the text is no list at all: then nothing is known of what is asked for. */
  readonly isReadable: boolean;
} {
  const { items, issues, isReadable } = readItems(text, 'job', misunderstanding);
  const configs = new Map<string, StorageConfig>();
  return { jobs: items.map((item) => toJob(item, configs)), issues, isReadable };
}

/**
 * Writes the `jobs` value of a requirer's application databag; equal jobs give equal text.
 * @throws HintError with code `invalid-job` when a job breaks the schema
 */
export function encodeJobs(jobs: readonly Job[]): string {
  return encodeItems('job', jobs.map(fromJob));
}

/** What the schema lets pass, and what must not be guessed at nevertheless. */
function misunderstanding(item: JsonObject, path: string): string | undefined {
  if (item['job-type'] === 'restore' && !item['artefact-path']) {
    return `${path}/artefact-path: is missing, and a restore needs it`;
  }
  // Ignored, these would make a restore replace data that were to stay.
  const { 'dry-run': dryRun = false, 'undo-of': undoOf } = item;
  if (typeof dryRun !== 'boolean') {
    return `${path}/dry-run: must be true or false`;
  }
  if (undoOf !== undefined && (typeof undoOf !== 'string' || item['job-type'] !== 'restore')) {
    return `${path}/undo-of: must be the job-id of a restore, in a restore`;
  }
  return misreadItems(item, path) ?? misreadEncryption(item, path);
}

/** Ignored, the whole artefact would replace the data of the database. */
function misreadItems({ items, ...item }: JsonObject, path: string): string | undefined {
  const isList =
    Array.isArray(items) &&
    items.length > 0 &&
    items.every((one) => typeof one === 'string' && one !== '');
  return items === undefined || (isList && item['job-type'] === 'restore')
    ? undefined
    : `${path}/items: must be a list of paths in the artefact, in a restore`;
}

/** Ignored, a backup would lie in the bucket for everybody to read. */
function misreadEncryption({ encryption }: JsonObject, path: string): string | undefined {
  return encryption === undefined || (typeof encryption === 'string' && isSecretUri(encryption))
    ? undefined
    : `${path}/encryption: must be the URI of a secret`;
}

/** @param configs those met so far: jobs of one requirer share them, and there may be thousands of jobs */
function toJob(item: JsonObject, configs: Map<string, StorageConfig>): Job {
  const config = item['job-config'];
  const storageConfig = item['storage-config'] as unknown as StorageConfig;
  const key = JSON.stringify(storageConfig);
  const shared = configs.get(key) ?? storageConfig;
  configs.set(key, shared);
  return {
    jobId: item['job-id'] as string,
    jobType: item['job-type'] as JobType,
    compression: isObject(config) && config['compression'] === true,
    storageConfig: shared,
    ...textField('artefactPath', item['artefact-path']),
    ...textField('requestedAt', item['requested-at']),
    ...labelOf(item['label']),
    ...deadlineOf(item['deadline']),
    ...flagField('isCancelled', item['cancel']),
    ...flagField('isDryRun', item['dry-run']),
    ...textField('undoOf', item['undo-of']),
    ...flagField('isForced', item['force']),
    ...textField('encryption', item['encryption']),
    ...(item['items'] === undefined ? {} : { items: item['items'] as readonly string[] }),
    ...levelOf(item['compression-level']),
    ...recheckOf(item['recheck']),
    ...unknownKeys(item, KNOWN_KEYS),
  };
}

function labelOf(value: JsonValue | undefined): { readonly label?: string } {
  return textField('label', typeof value === 'string' ? value.slice(0, MAX_LABEL) : undefined);
}

function deadlineOf(value: JsonValue | undefined): { readonly deadline?: JobDeadline } {
  if (!isObject(value)) {
    return {};
  }
  const deadline = {
    ...secondsField('startSeconds', value['start-seconds']),
    ...secondsField('runSeconds', value['run-seconds']),
    ...secondsField('stallSeconds', value['stall-seconds']),
  };
  return Object.keys(deadline).length === 0 ? {} : { deadline };
}

function levelOf(value: JsonValue | undefined): { readonly compressionLevel?: number } {
  const isLevel =
    typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_LEVEL;
  return isLevel ? { compressionLevel: value } : {};
}

function recheckOf(value: JsonValue | undefined): { readonly recheck?: Recheck } {
  const recheck = RECHECKS.find((one) => one === value);
  return recheck === undefined ? {} : { recheck };
}

function secondsField<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { [key in Name]?: number } {
  return value === 0 ? {} : countField(name, value);
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
    label: job.label,
    deadline: job.deadline && {
      'start-seconds': job.deadline.startSeconds,
      'run-seconds': job.deadline.runSeconds,
      'stall-seconds': job.deadline.stallSeconds,
    },
    cancel: job.isCancelled,
    'dry-run': job.isDryRun,
    'undo-of': job.undoOf,
    force: job.isForced,
    encryption: job.encryption,
    items: job.items,
    'compression-level': job.compressionLevel,
    recheck: job.recheck,
  };
}
