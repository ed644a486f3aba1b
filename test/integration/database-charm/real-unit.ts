/**
 * One unit of the charm on the real machine: real PostgreSQL, real runner and workers, real S3
 * protocol. Only Juju is played: events run in memory, and `juju-exec` rings a bell the test hears.
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BackupRunner } from '#backup-runner';
import {
  encodeJobs,
  type Job,
  type JobStatus,
  newJobId,
  parseJobStatuses,
  type StorageConfig,
} from '#database-backup';
import type { Framework } from '#ops';
import { Context, peerRelation, relation, type State, state, type TestEvent } from '#ops/testing';
import { runProcess } from '#system';
import { DatabaseCharm } from '../../../charms/database/src/charm.ts';
import { type Ports, realPorts } from '../../../charms/database/src/ports.ts';

const CHARM_ROOT = fileURLToPath(new URL('../../../charms/database', import.meta.url));
const WORKER = join(CHARM_ROOT, 'src', 'worker.ts');
const RELATION_ID = 1;

export class RealUnit {
  readonly #context: Context<DatabaseCharm>;
  readonly #root: string;
  readonly #storage: StorageConfig;
  #now: State;

  constructor(root: string, storage: StorageConfig) {
    this.#root = root;
    this.#storage = storage;
    const environment = { PATH: `${root}:${process.env['PATH'] ?? ''}` };
    const ports: Ports = {
      ...realPorts(),
      stateRoot: join(root, 'state'),
      createRunner: (options) =>
        new BackupRunner({ ...options, environment, workerCommand: [process.execPath, WORKER] }),
    };
    class StagedCharm extends DatabaseCharm {
      constructor(framework: Framework) {
        super(framework, ports);
      }
    }
    this.#context = new Context(StagedCharm, { charmRoot: CHARM_ROOT, appName: 'engtest' });
    this.#now = state({
      leader: true,
      model: { uuid: root },
      networks: {
        'database-backup': {
          bindAddress: '127.0.0.1',
          ingressAddress: '127.0.0.1',
          egressSubnets: [],
        },
      },
      relations: [
        peerRelation({ endpoint: 'database-peers', id: 2 }),
        relation({ endpoint: 'database-backup', id: RELATION_ID, remoteApp: 'manager' }),
      ],
    });
  }

  static async install(storage: StorageConfig): Promise<RealUnit> {
    const root = await mkdtemp(join(tmpdir(), 'real-unit-'));
    await writeFile(join(root, 'juju-exec'), `#!/bin/sh\necho ring >> ${root}/bell\n`);
    await chmod(join(root, 'juju-exec'), 0o755);
    const unit = new RealUnit(root, storage);
    await unit.run((on) => on.install());
    await unit.run((on) => on.start());
    return unit;
  }

  get status(): string {
    return this.#now.unitStatus.toString();
  }

  get statuses(): readonly JobStatus[] {
    return parseJobStatuses(this.#now.getRelation(RELATION_ID).localUnitData['jobs']).statuses;
  }

  /** Everything of the unit others can read. */
  get databags(): string {
    return JSON.stringify(this.#now.relations.map((one) => [one.localAppData, one.localUnitData]));
  }

  async run(event: (on: Context<DatabaseCharm>['on'], now: State) => TestEvent): Promise<void> {
    this.#now = await this.#context.run(event(this.#context.on, this.#now), this.#now);
  }

  async connection(): Promise<Readonly<Record<string, unknown>>> {
    await this.run((on) => on.action('get-connection'));
    return this.#context.actionResults;
  }

  /** Runs SQL as an administrator does: over TCP, with what get-connection says. */
  async sql(statements: string): Promise<string> {
    const { host, port, username, password, database } = await this.connection();
    const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-h', String(host)];
    const login = ['-p', String(port), '-U', String(username), '-d', String(database)];
    const { stdout } = await runProcess('psql', [...args, ...login], {
      env: { PATH: '/usr/bin:/bin', PGPASSWORD: String(password) },
      stdin: statements,
    });
    return stdout.trim();
  }

  /** Asks for one job; the manager's relation changes. */
  async ask(fields: Partial<Job>): Promise<string> {
    const job: Job = {
      jobId: newJobId(),
      jobType: 'backup',
      compression: true,
      storageConfig: this.#storage,
      ...fields,
    };
    const asked = this.#now.getRelation(RELATION_ID);
    const remoteAppData = { jobs: encodeJobs([job]) };
    this.#now = this.#now.withRelation({ ...asked, remoteAppData } as typeof asked);
    await this.run((on, now) => on.relationChanged(now.getRelation(RELATION_ID)));
    return job.jobId;
  }

  /** Plays Juju's part whenever a worker calls, until `isDone`. */
  async until(isDone: (status: JobStatus) => boolean, timeoutMs = 110_000): Promise<JobStatus> {
    const deadline = Date.now() + timeoutMs;
    let heard = 0;
    for (;;) {
      const [status] = this.statuses;
      if (status !== undefined && isDone(status)) {
        return status;
      }
      if (Date.now() > deadline) {
        throw new Error(`gave up waiting; last status ${JSON.stringify(status)}, ${this.status}`);
      }
      const rung = await this.#rings();
      if (rung > heard) {
        heard = rung;
        await this.run((on) => on.custom('backup-progress'));
      } else {
        await delay(20);
      }
    }
  }

  /** Waits for the end of the job asked for last. */
  async ended(): Promise<JobStatus> {
    return await this.until(({ status }) => status !== 'running');
  }

  async serverPid(): Promise<number> {
    return Number(await this.sql(`SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1);`));
  }

  async remove(): Promise<void> {
    await this.run((on) => on.stop());
    await this.run((on) => on.remove());
    await rm(this.#root, { recursive: true, force: true });
  }

  async #rings(): Promise<number> {
    try {
      return (await readFile(join(this.#root, 'bell'), 'utf8')).length;
    } catch {
      return 0;
    }
  }
}
