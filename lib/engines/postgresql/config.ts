/** Which PostgreSQL cluster an engine works on, and reading that from JSON. */
import { HintError } from '#system';

/** One cluster of Debian's postgresql-common, where it listens and who owns it. */
export interface PostgresqlInstance {
  /** Major version, for example `15`. */
  readonly version: string;
  /** Name in the sense of pg_lsclusters. */
  readonly cluster: string;
  readonly dataDirectory: string;
  readonly port: number;
  readonly socketDirectory: string;
  /** The system user that owns the cluster; `postgres` with the distribution's packages. */
  readonly osUser: string;
}

/** A login of the database server. Printing one anywhere is a leak. */
export interface PostgresqlRole {
  readonly name: string;
  readonly password: string;
}

/** Everything the engine needs; survives JSON, holds secrets. */
export interface PostgresqlEngineConfig extends PostgresqlInstance {
  readonly engine: 'postgresql';
  /** May replicate and nothing else. */
  readonly backupRole: PostgresqlRole;
  /** The administrator's role, re-applied to restored data so that its password goes on working. */
  readonly adminRole?: PostgresqlRole;
}

/** @throws HintError `invalid-engine-config` naming the key, never a value */
export function parsePostgresqlConfig(raw: unknown): PostgresqlEngineConfig {
  const fields = asRecord(raw, 'engine configuration');
  const port = fields['port'];
  if (typeof port !== 'number' || !Number.isInteger(port)) {
    throw invalid('port');
  }
  return {
    engine: 'postgresql',
    version: text(fields, 'version'),
    cluster: text(fields, 'cluster'),
    dataDirectory: text(fields, 'dataDirectory'),
    port,
    socketDirectory: text(fields, 'socketDirectory'),
    osUser: text(fields, 'osUser'),
    backupRole: role(fields['backupRole'], 'backupRole'),
    ...(fields['adminRole'] === undefined
      ? {}
      : { adminRole: role(fields['adminRole'], 'adminRole') }),
  };
}

function role(raw: unknown, key: string): PostgresqlRole {
  const fields = asRecord(raw, key);
  return { name: text(fields, 'name'), password: text(fields, 'password') };
}

function asRecord(raw: unknown, key: string): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid(key);
  }
  return { ...raw };
}

function text(fields: Record<string, unknown>, key: string): string {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') {
    throw invalid(key);
  }
  return value;
}

function invalid(key: string): HintError {
  return new HintError(`cannot use the engine configuration: ${key} is missing or malformed`, {
    code: 'invalid-engine-config',
  });
}
