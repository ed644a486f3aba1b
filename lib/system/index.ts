/** The leaf: processes, clock, durable files and errors, behind small ports. Imports Node only. */
export {
  createFileExclusive,
  makePrivateDirectory,
  readFileIfExists,
  syncDirectory,
  type WriteOptions,
  writeFileAtomic,
} from './atomic-file.ts';
export { bothOrNeither } from './both-or-neither.ts';
export { type Clock, systemClock } from './clock.ts';
export { describeError, HintError, type HintErrorOptions, hasErrorCode } from './errors.ts';
export { acquireFileLock } from './file-lock.ts';
export { formatBytes, formatDuration } from './format.ts';
export type { JsonRecord, JsonValue } from './json-value.ts';
export {
  bootId,
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
} from './process-identity.ts';
export {
  minimalEnvironment,
  ProcessError,
  type RunOptions,
  type RunProcess,
  type RunResult,
  runProcess,
} from './run-process.ts';
export { type DetachedOptions, spawnDetached } from './spawn-detached.ts';
