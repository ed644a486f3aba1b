/** Makes, finds and drops a cluster of one's own by the distribution's postgresql-common tools. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  HintError,
  isProcessAlive,
  minimalEnvironment,
  type RunProcess,
  readFileIfExists,
  spawnDetached,
  writeFileAtomic,
} from '#system';
import type { KeptCopy } from '../engine.ts';
import { type ClusterSettings, clusterConf, clusterHba } from './cluster-config.ts';
import type { PostgresqlInstance, PostgresqlRole } from './config.ts';
import { exists, removeTree } from './directories.ts';
import { condemnExpired, keptCopies } from './kept-copies.ts';
import { HOST_LOCK } from './packages.ts';
import { endRehearsal } from './rehearsal.ts';
import { journalPath, readJournal } from './restore-journal.ts';
import { roleStatements } from './roles.ts';
import { PostgresqlServer } from './server.ts';
import { runSql, type SqlOptions } from './sql.ts';

const OS_USER = 'postgres';

/** Names one cluster of this machine. */
export interface ClusterIdentity {
  readonly version: string;
  /** See clusterName. */
  readonly cluster: string;
  readonly runProcess: RunProcess;
}

export interface CreateClusterOptions extends ClusterIdentity {
  readonly settings: ClusterSettings;
}

/**
 * Makes the cluster unless it is there: own port (the first free one from 5432 on), own data
 * directory, checksums on. Does not start it. A half-made one, left by a process that died, is
 * made anew; data that were ever served are never touched.
 * @throws HintError `cluster-creation-failed`, `unsafe-cluster-name`
 */
export async function createPostgresqlCluster(
  options: CreateClusterOptions,
): Promise<PostgresqlCluster> {
  assertSafeName(options.cluster);
  if (await exists(creationMark(options))) {
    await dropFiles(options);
  }
  const isNew = !(await exists(configPath(options, 'postgresql.conf')));
  if (isNew) {
    await writeFileAtomic(creationMark(options), '');
    await runCreateCluster(options);
  }
  const cluster = await openCluster(options);
  await cluster.configure(options.settings);
  if (isNew) {
    await removeTree(creationMark(options));
  }
  return cluster;
}

/** The cluster of this name, if it was made. */
export async function findPostgresqlCluster(
  identity: ClusterIdentity,
): Promise<PostgresqlCluster | undefined> {
  assertSafeName(identity.cluster);
  return (await exists(configPath(identity, 'postgresql.conf')))
    ? await openCluster(identity)
    : undefined;
}

/** A name postgresql-common and systemd both take, from any text: `db-k8s/0` → `db_k8s_0`. */
export function clusterName(text: string): string {
  // A dash would become a slash in the name of the systemd unit.
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

export type RestoreState = 'none' | 'under-way' | 'interrupted';

/** One cluster, made. */
export class PostgresqlCluster {
  readonly instance: PostgresqlInstance;
  readonly #server: PostgresqlServer;
  readonly #run: RunProcess;

  constructor(instance: PostgresqlInstance, runProcess: RunProcess) {
    this.instance = instance;
    this.#run = runProcess;
    this.#server = new PostgresqlServer({ instance, runProcess });
  }

  /** Starts the server unless it runs; it outlives the caller. */
  async start(): Promise<void> {
    await this.#server.start();
  }

  /** Stops the server, with its clients. */
  async stop(): Promise<void> {
    await this.#server.stop();
  }

  /** Whether the server accepts connections. */
  async isReady(): Promise<boolean> {
    return await this.#server.isReady();
  }

  /** For example `15.20`. */
  async version(): Promise<string> {
    return (await this.sql('SHOW server_version;')).split(' ')[0] ?? this.instance.version;
  }

  /** Runs statements as the superuser; see runSql. */
  async sql(statements: string, options: SqlOptions = {}): Promise<string> {
    return await runSql(this.instance, this.#run, statements, options);
  }

  /**
   * Whether a restore is in the directories of this cluster: `under-way` while its process lives,
   * `interrupted` when it died; then Engine.recoverInterruptedRestore is due. While it is not
   * `none` nobody else may start or stop the server.
   */
  async restoreState(): Promise<RestoreState> {
    const journal = await readJournal(this.instance.dataDirectory);
    if (journal === undefined) {
      return 'none';
    }
    return isProcessAlive(journal.owner) ? 'under-way' : 'interrupted';
  }

  /** Data that restores have replaced and that can be brought back, oldest first. */
  async keptCopies(): Promise<readonly KeptCopy[]> {
    return await keptCopies(this.instance.dataDirectory);
  }

  /**
   * Drops kept data whose time is over, and all of them where `keepHours` is 0. Cheap: they are gone at
   * once, the files go in the background.
   */
  async dropExpiredCopies(now: Date, keepHours: number): Promise<void> {
    const doomed = await condemnExpired(this.instance.dataDirectory, now, keepHours);
    if (doomed.length > 0) {
      await spawnDetached({
        command: 'rm',
        args: ['-rf', '--one-file-system', '--', ...doomed],
        env: minimalEnvironment(),
        cwd: '/',
        outputPath: '/dev/null',
        stdin: '',
        stdinTimeoutMs: 10_000,
      });
    }
  }

  /** Creates the charm's roles or sets them anew; idempotent. */
  async setRoles(roles: {
    readonly backup: PostgresqlRole;
    readonly admin: PostgresqlRole;
  }): Promise<void> {
    await this.sql(roleStatements('backup', roles.backup) + roleStatements('admin', roles.admin));
  }

  /**
   * Writes the configuration files where they differ, and has a running server read them.
   * A new listen address takes effect at the next start.
   */
  async configure(settings: ClusterSettings): Promise<void> {
    const wrote = [
      await writeIfDifferent(this.#configPath('conf.d/database-charm.conf'), clusterConf(settings)),
      await writeIfDifferent(this.#configPath('pg_hba.conf'), clusterHba(settings)),
    ];
    if (wrote.includes(true) && (await this.isReady())) {
      await this.#server.reload();
    }
  }

  /** Stops the server and removes the cluster with its data. Idempotent. */
  async drop(): Promise<void> {
    await this.#server.stop();
    const { dataDirectory } = this.instance;
    const isStaged = (path: string): boolean => path.startsWith(`${dataDirectory}.staged-`);
    for (const path of (await leftovers(dataDirectory)).filter(isStaged)) {
      await endRehearsal(this.instance, path);
    }
    await dropFiles({ ...this.instance, runProcess: this.#run }, this.instance.dataDirectory);
  }

  #configPath(name: string): string {
    return configPath({ ...this.instance, runProcess: this.#run }, name);
  }
}

async function openCluster(identity: ClusterIdentity): Promise<PostgresqlCluster> {
  const { version, cluster, runProcess } = identity;
  const { stdout } = await runProcess('pg_conftool', [version, cluster, 'show', 'all'], {
    env: minimalEnvironment(),
  });
  const setting = (name: string): string | undefined =>
    new RegExp(`^${name} = '?(.*?)'?$`, 'm').exec(stdout)?.[1];
  const instance: PostgresqlInstance = {
    version,
    cluster,
    dataDirectory: setting('data_directory') ?? defaultDataDirectory(identity),
    port: Number(setting('port') ?? 5432),
    socketDirectory: setting('unix_socket_directories')?.split(',')[0] ?? '/var/run/postgresql',
    osUser: OS_USER,
  };
  return new PostgresqlCluster(instance, runProcess);
}

async function runCreateCluster(identity: ClusterIdentity): Promise<void> {
  const { version, cluster, runProcess } = identity;
  const create = ['pg_createcluster', version, cluster, '--user', OS_USER];
  const locale = ['--locale', 'C.UTF-8', '--encoding', 'UTF8', '--datadir'];
  try {
    // Two units that look for a free port at the same moment would find the same one.
    await runProcess(
      'flock',
      [HOST_LOCK, ...create, ...locale, defaultDataDirectory(identity), '--', '--data-checksums'],
      { env: minimalEnvironment(), cwd: '/', label: 'pg_createcluster' },
    );
  } catch (error) {
    throw new HintError(
      `cannot create the PostgreSQL cluster ${version}/${cluster}: ${error instanceof Error ? error.message : String(error)}`,
      { code: 'cluster-creation-failed', hint: 'free some disk space, then retry', cause: error },
    );
  }
}

/** Is there while a cluster is being made: whoever finds it makes the cluster anew. */
function creationMark(identity: ClusterIdentity): string {
  return `/var/lib/postgresql/.${identity.version}-${identity.cluster}.creating`;
}

/** What restores keep beside the data directory. */
async function leftovers(dataDirectory: string): Promise<string[]> {
  const parent = dirname(dataDirectory);
  const prefix = `${basename(dataDirectory)}.`;
  const names = (await exists(parent)) ? await readdir(parent) : [];
  return names.filter((name) => name.startsWith(prefix)).map((name) => join(parent, name));
}

async function dropFiles(
  identity: ClusterIdentity,
  dataDirectory: string = defaultDataDirectory(identity),
): Promise<void> {
  const { version, cluster, runProcess } = identity;
  if (await exists(configPath(identity, 'postgresql.conf'))) {
    // Removes configuration, data and log; what it cannot (data gone already) is removed below.
    await runProcess('pg_dropcluster', [version, cluster], {
      env: minimalEnvironment(),
      cwd: '/',
      acceptExitCodes: [0, 1, 2],
    });
  }
  for (const path of await leftovers(dataDirectory)) {
    await removeTree(path);
  }
  await removeTree(journalPath(dataDirectory));
  await removeTree(dataDirectory);
  await removeTree(configPath(identity, ''));
  await removeTree(creationMark(identity));
}

function configPath(identity: ClusterIdentity, name: string): string {
  return join('/etc/postgresql', identity.version, identity.cluster, name);
}

function defaultDataDirectory(identity: ClusterIdentity): string {
  return join('/var/lib/postgresql', identity.version, identity.cluster);
}

async function writeIfDifferent(path: string, text: string): Promise<boolean> {
  if ((await readFileIfExists(path)) === text) {
    return false;
  }
  // The server reads it as its own user; there is no secret in it.
  await writeFileAtomic(path, text, { mode: 0o644 });
  return true;
}

function assertSafeName(name: string): void {
  if (!/^[a-z0-9_]{1,60}$/.test(name) || name === 'main') {
    throw new HintError(`cannot use ${JSON.stringify(name)} as the name of a cluster`, {
      code: 'unsafe-cluster-name',
      hint: 'use letters, digits and underscores, and leave "main" to the administrator',
    });
  }
}
