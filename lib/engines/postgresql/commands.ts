/** Finds and prepares PostgreSQL's programs: who runs them, with which environment. */
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { minimalEnvironment } from '#system';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';

/** A program with its arguments, ready to be started. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/** Where Debian and Ubuntu keep the programs of one major version. */
export function binDirectory(version: string): string {
  return join('/usr/lib/postgresql', version, 'bin');
}

/** One of PostgreSQL's own programs, run as the owner of the cluster rather than as root. */
export function asOwner(
  instance: PostgresqlInstance,
  program: string,
  args: readonly string[],
): Command {
  const path = join(binDirectory(instance.version), program);
  if (userInfo().username === instance.osUser) {
    return { command: path, args };
  }
  // setpriv replaces itself by the program, so signals reach it; it starts no PAM session.
  const { osUser } = instance;
  return {
    command: 'setpriv',
    args: ['--reuid', osUser, '--regid', osUser, '--init-groups', '--', path, ...args],
  };
}

/** How a client reaches the server: through its Unix socket. */
export function connectionArguments(instance: PostgresqlInstance): string[] {
  return ['-h', instance.socketDirectory, '-p', String(instance.port)];
}

/** The environment of a client; a role's password goes here, which only its own user can read. */
export function clientEnvironment(role?: PostgresqlRole): Record<string, string> {
  return {
    ...minimalEnvironment(),
    PGCONNECT_TIMEOUT: '10',
    ...(role === undefined ? {} : { PGPASSWORD: role.password }),
  };
}

/** `15/db_0`, as pg_lsclusters and the server's own log name it. */
export function clusterLabel(instance: PostgresqlInstance): string {
  return `${instance.version}/${instance.cluster}`;
}
