/** Database engines: one interface, and PostgreSQL behind it. */
export type {
  BackupAttributes,
  BackupOptions,
  BackupSource,
  Engine,
  EngineEntry,
  JsonValue,
  RecoveryOutcome,
  RestoreRequest,
  StagedRestore,
} from './engine.ts';
