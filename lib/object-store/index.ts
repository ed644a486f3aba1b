/** Object stores behind one interface: S3, a local directory, memory; and decorators over them. */
export { checkStorage } from './check-storage.ts';
export { createDirectoryObjectStore } from './directory.ts';
export {
  isObjectStoreError,
  ObjectStoreError,
  type ObjectStoreErrorCode,
  type ObjectStoreErrorDetails,
} from './errors.ts';
export { createMemoryObjectStore } from './memory.ts';
export type {
  ByteRange,
  FolderItem,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  OperationOptions,
  PutOptions,
} from './object-store.ts';
export { type ProbeOptions, probeStorage } from './probe/probe-storage.ts';
export {
  firstFailure,
  type ProbeFinding,
  type ProbeName,
  type StorageProfile,
  type StorageReport,
} from './probe/report.ts';
export { followRates, type Rates, tellRates } from './rate-file.ts';
export { createS3ObjectStore, type S3ObjectStore, type S3Tuning } from './s3.ts';
export type { CredentialsPatience, CredentialsSource, S3Credentials } from './s3-credentials.ts';
export { parseS3Options, type S3Options } from './s3-options.ts';
export { type Fault, type FaultPlan, type StoreCall, withFaults } from './with-faults.ts';
export { withPrefix } from './with-prefix.ts';
export {
  createRateLimiter,
  parseRate,
  type RateLimiter,
  type RateLimitOptions,
  withRateLimit,
} from './with-rate-limit.ts';
export { type RetryOptions, withRetries } from './with-retries.ts';
