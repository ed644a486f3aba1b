/** The logins the charm makes, and setting them up or up again after a restore. */
import type { PostgresqlRole } from './config.ts';
import { scramVerifier } from './scram.ts';
import { sqlLiteral, sqlName } from './sql.ts';

/** What a role may do. `backup` may copy the cluster, and nothing else; `admin` may do everything. */
export type RoleKind = 'backup' | 'admin';

const ATTRIBUTES: Record<RoleKind, string> = {
  backup: 'LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
  admin: 'LOGIN SUPERUSER',
};

/** Statements that create the role unless it is there, and set its rights and password anew. */
export function roleStatements(kind: RoleKind, role: PostgresqlRole): string {
  const name = sqlName(role.name);
  // The server keeps only a verifier and is told only a verifier: statements may be logged.
  const verifier = sqlLiteral(scramVerifier(role.password));
  return [
    `SELECT 'CREATE ROLE ${name.replaceAll("'", "''")}'`,
    `WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${sqlLiteral(role.name)})`,
    String.raw`\gexec`,
    `ALTER ROLE ${name} WITH ${ATTRIBUTES[kind]} PASSWORD ${verifier} VALID UNTIL 'infinity';`,
    '',
  ].join('\n');
}
