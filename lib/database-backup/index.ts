/** The `database_backup` relation: jobs and their statuses, safe to read and write, and both ends on Juju. */
export {
  CredentialsReader,
  credentialsReference,
  isCredentialsReference,
  referringTo,
} from './credentials.ts';
export { FEATURES, type Feature } from './features.ts';
export {
  type Job,
  type JobDeadline,
  type JobIssue,
  type JobProgress,
  type JobQueue,
  type JobState,
  type JobStatus,
  type JobType,
  type JsonObject,
  type Recheck,
  type StorageConfig,
} from './job.ts';
export { encodeJobs, parseJobs } from './job-codec.ts';
export { newJobId } from './job-id.ts';
export {
  BackupProvider,
  type BackupProviderOptions,
  type JobsChangedEvent,
  type RelationRequests,
} from './provider.ts';
export { REDACTED, redactStorageConfig } from './redact.ts';
export {
  BackupRequirer,
  type BackupRequirerOptions,
  type DatabaseEvent,
  type RelatedDatabase,
  type UnitJobIssue,
  type UnitJobStatus,
} from './requirer.ts';
export { encodeJobStatuses, parseJobStatuses, rejectionOf, statusOf } from './status-codec.ts';
