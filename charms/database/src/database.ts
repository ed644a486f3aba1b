/** The database server of this unit, as the charm sees it; PostgreSQL behind it. Knows no Juju. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createPostgresqlCluster,
  createPostgresqlEngine,
  installPostgresql,
  PostgresqlCluster,
  type PostgresqlEngineConfig,
  type PostgresqlInstance,
  type PostgresqlRole,
  type RecoveryOutcome,
} from '#engines';
import {
  HintError,
  makePrivateDirectory,
  type RunProcess,
  readFileIfExists,
  writeFileAtomic,
} from '#system';
import type { UnitHome } from './unit-home.ts';

/** The logins the charm makes in the server. */
export interface Roles {
  readonly backup: PostgresqlRole;
  readonly admin: PostgresqlRole;
}

/**
 * `absent`: not installed. `restoring`: a restore is at work, hands off. `interrupted`: a restore
 * died on the way and somebody must put the database in order.
 */
export type DatabaseState =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'serving' | 'down' | 'restoring' | 'interrupted';
      readonly major: string;
      readonly port: number;
    };

/** What the charm asks of the database; every method is idempotent. */
export interface Database {
  /** Cheap: whether there is a cluster of this unit. */
  isInstalled(): Promise<boolean>;
  state(): Promise<DatabaseState>;
  /** Installs the packages and makes the cluster where missing, starts it, sets the roles. */
  provision(roles: Roles, listenAddress: string | undefined): Promise<void>;
  start(): Promise<void>;
  applyRoles(roles: Roles): Promise<void>;
  /** For example `15.20`; asks the server. */
  version(): Promise<string>;
  /** Ends an interrupted restore. */
  recover(roles: Roles): Promise<RecoveryOutcome>;
  /** What the worker makes its engine from. Holds secrets. */
  engineConfig(roles: Roles): Promise<PostgresqlEngineConfig>;
  /** The jobs whose replaced data are still here, oldest first. */
  keptCopies(): Promise<readonly string[]>;
  /** Cheap; see PostgresqlCluster. */
  dropExpiredCopies(now: Date, keepHours: number): Promise<void>;
  stop(): Promise<void>;
  /** Removes the server of this unit with its data. */
  drop(): Promise<void>;
}

/** A cluster of the distribution's PostgreSQL, named as the unit's home says. */
export class PostgresqlDatabase implements Database {
  readonly #home: UnitHome;
  readonly #run: RunProcess;
  #opened: PostgresqlCluster | undefined;

  constructor(home: UnitHome, run: RunProcess) {
    this.#home = home;
    this.#run = run;
  }

  async isInstalled(): Promise<boolean> {
    return (await this.#find()) !== undefined;
  }

  async state(): Promise<DatabaseState> {
    const cluster = await this.#find();
    if (cluster === undefined) {
      return { kind: 'absent' };
    }
    const { version: major, port } = cluster.instance;
    const restore = await cluster.restoreState();
    if (restore !== 'none') {
      return { kind: restore === 'under-way' ? 'restoring' : 'interrupted', major, port };
    }
    return { kind: (await isServing(cluster)) ? 'serving' : 'down', major, port };
  }

  async provision(roles: Roles, listenAddress: string | undefined): Promise<void> {
    const { cluster: name, stateDirectory } = this.#home;
    await makePrivateDirectory(stateDirectory);
    const known = await this.#find();
    // Once made, a cluster keeps its version, whatever else gets installed on the machine.
    const version = known?.instance.version ?? (await installPostgresql({ runProcess: this.#run }));
    const cluster = await createPostgresqlCluster({
      version,
      cluster: name,
      runProcess: this.#run,
      settings: {
        backupRole: roles.backup.name,
        ...(listenAddress === undefined ? {} : { listenAddress }),
      },
    });
    await writeFileAtomic(this.#recordPath(), JSON.stringify(cluster.instance));
    this.#opened = cluster;
    if ((await cluster.restoreState()) === 'none') {
      await cluster.start();
      await cluster.setRoles(roles);
    }
  }

  async start(): Promise<void> {
    await (await this.#get()).start();
  }

  async applyRoles(roles: Roles): Promise<void> {
    await (await this.#get()).setRoles(roles);
  }

  async version(): Promise<string> {
    return await (await this.#get()).version();
  }

  async recover(roles: Roles): Promise<RecoveryOutcome> {
    const config = await this.engineConfig(roles);
    const engine = createPostgresqlEngine({ ...config, runProcess: this.#run });
    return await engine.recoverInterruptedRestore();
  }

  async engineConfig(roles: Roles): Promise<PostgresqlEngineConfig> {
    const { instance } = await this.#get();
    return {
      ...instance,
      engine: 'postgresql',
      backupRole: roles.backup,
      adminRole: roles.admin,
    };
  }

  async keptCopies(): Promise<readonly string[]> {
    return ((await (await this.#find())?.keptCopies()) ?? []).map(({ name }) => name);
  }

  async dropExpiredCopies(now: Date, keepHours: number): Promise<void> {
    await (await this.#find())?.dropExpiredCopies(now, keepHours);
  }

  async stop(): Promise<void> {
    await (await this.#find())?.stop();
  }

  async drop(): Promise<void> {
    await (await this.#find())?.drop();
    await rm(this.#home.stateDirectory, { recursive: true, force: true });
    this.#opened = undefined;
  }

  async #get(): Promise<PostgresqlCluster> {
    const cluster = await this.#find();
    if (cluster === undefined) {
      throw new HintError('cannot reach the database: it is not installed yet', {
        code: 'database-absent',
        hint: 'wait for the install hook to end; see juju status',
      });
    }
    return cluster;
  }

  async #find(): Promise<PostgresqlCluster | undefined> {
    if (this.#opened === undefined) {
      const text = await readFileIfExists(this.#recordPath());
      this.#opened =
        text === undefined
          ? undefined
          : new PostgresqlCluster(JSON.parse(text) as PostgresqlInstance, this.#run);
    }
    return this.#opened;
  }

  #recordPath(): string {
    return join(this.#home.stateDirectory, 'cluster.json');
  }
}

async function isServing(cluster: PostgresqlCluster): Promise<boolean> {
  try {
    return await cluster.isReady();
  } catch {
    // It answers, but not to us; starting says why.
    return false;
  }
}
