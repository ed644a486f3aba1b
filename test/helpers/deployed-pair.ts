/** Both packed charms, deployed and related in a sandbox of their own, with an S3 server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Connection, SampleDatabase } from '../../lib/demo/sample-database.ts';
import { JujuSandbox } from './juju-sandbox.ts';
import { packedCharm } from './packed-charms.ts';
import { processesMatching, processesUsing } from './processes.ts';

export interface S3Endpoint {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly tlsCaChain?: string;
}

/** Each look is an action of the manager, whose processor time the job itself could use. */
const ACTION_POLL_MS = 600;

export const MANAGER = 'backup-manager/0';

export class DeployedPair {
  readonly sandbox: JujuSandbox;
  readonly #scratch: string;

  private constructor(sandbox: JujuSandbox, scratch: string) {
    this.sandbox = sandbox;
    this.#scratch = scratch;
  }

  /** Deploys the pair; S3 is configured when an endpoint is given. */
  static async deploy(s3?: S3Endpoint): Promise<DeployedPair> {
    const scratch = await mkdtemp(join(tmpdir(), 'charms-e2e-'));
    const [database, manager] = await Promise.all(
      ['database', 'backup-manager'].map((name) => packedCharm(name)),
    );
    const pair = new DeployedPair(await JujuSandbox.bootstrap(), scratch);
    const { sandbox } = pair;
    await sandbox.juju('deploy', database?.path ?? '', 'db', '--config', 'engine=postgresql');
    await sandbox.juju('deploy', manager?.path ?? '');
    if (s3 !== undefined) {
      await pair.configureStorage(s3);
      await sandbox.juju('relate', 'db', 'backup-manager');
      await sandbox.waitForApplication('backup-manager');
    }
    await sandbox.waitForApplication('db');
    return pair;
  }

  async configureStorage(s3: S3Endpoint, secretName = 's3-credentials'): Promise<void> {
    const uri = await this.sandbox.juju(
      'add-secret',
      secretName,
      `access-key#file=${await this.sandbox.privateFile(`${secretName}-access`, s3.accessKey)}`,
      `secret-key#file=${await this.sandbox.privateFile(`${secretName}-secret`, s3.secretKey)}`,
    );
    await this.sandbox.juju('grant-secret', secretName, 'backup-manager');
    await this.sandbox.juju(
      'config',
      'backup-manager',
      `endpoint=${s3.endpoint}`,
      `bucket=${s3.bucket}`,
      `credentials=${uri.trim()}`,
      ...(s3.tlsCaChain === undefined ? [] : [`tls-ca-chain=${s3.tlsCaChain}`]),
    );
  }

  async database(): Promise<SampleDatabase> {
    const { results } = await this.sandbox.run('db/0', 'get-connection');
    return new SampleDatabase(results as unknown as Connection);
  }

  /** The port and data directory of the unit's own cluster. */
  async cluster(): Promise<{ readonly port: string; readonly dataDirectory: string }> {
    const { results } = await this.sandbox.run('db/0', 'get-connection');
    const port = results['port'] ?? '';
    const database = new SampleDatabase(results as unknown as Connection);
    return { port, dataDirectory: await database.query('SHOW data_directory') };
  }

  async createBackup(): Promise<string> {
    const { results, status, message } = await this.sandbox.run(MANAGER, 'create-backup');
    if (status !== 'completed' || results['job-ids'] === undefined) {
      throw new Error(`create-backup: ${status} ${message} ${JSON.stringify(results)}`);
    }
    return results['job-ids'];
  }

  async job(jobId: string): Promise<Readonly<Record<string, string>>> {
    return (await this.sandbox.run(MANAGER, 'show-job', { 'job-id': jobId })).results;
  }

  /** Waits until a job ended and answers what `show-job` says of it. */
  async finishedJob(jobId: string): Promise<Readonly<Record<string, string>>> {
    const look = async () => {
      const job = await this.job(jobId);
      return job['status'] === 'success' || job['status'] === 'error' ? job : undefined;
    };
    return await this.sandbox.waitFor(`job ${jobId} to end`, look, { everyMs: ACTION_POLL_MS });
  }

  /** The processes that run this sandbox's worker program. */
  async workerPids(): Promise<number[]> {
    return await processesMatching(
      (commandLine) =>
        commandLine.includes(this.sandbox.dataDirectory) && commandLine.includes('worker.js'),
    );
  }

  /** Ends everything. @throws Error when a process of the sandbox outlived it */
  async destroy(): Promise<void> {
    await this.sandbox.destroy();
    await rm(this.#scratch, { recursive: true, force: true });
    const left = await processesUsing(this.sandbox.dataDirectory);
    if (left.length > 0) {
      throw new Error(`the sandbox left processes behind:\n${left.join('\n')}`);
    }
  }
}
