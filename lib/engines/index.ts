/** Database engines: one interface, and PostgreSQL behind it. */
export type {
  BackupAttributes,
  BackupOptions,
  BackupSource,
  Engine,
  EngineEntry,
  EntryFile,
  KeptCopy,
  Proof,
  RecoveryOutcome,
  RestorePlan,
  RestoreRequest,
  StagedRestore,
  StagedUndo,
  SwapReport,
  UndoRequest,
} from './engine.ts';
export {
  type ClusterIdentity,
  type CreateClusterOptions,
  clusterName,
  createPostgresqlCluster,
  findPostgresqlCluster,
  PostgresqlCluster,
  type RestoreState,
} from './postgresql/cluster.ts';
export type { ClusterSettings } from './postgresql/cluster-config.ts';
export {
  type PostgresqlEngineConfig,
  type PostgresqlInstance,
  type PostgresqlRole,
  parsePostgresqlConfig,
} from './postgresql/config.ts';
export { createPostgresqlEngine, type PostgresqlEngineOptions } from './postgresql/engine.ts';
export { installedVersion, installPostgresql } from './postgresql/packages.ts';
export { createEngine, ENGINE_NAMES, type EngineName, isEngineName } from './registry.ts';
