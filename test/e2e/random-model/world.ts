/** Two databases, one manager, two units each, and an S3 server that can be taken away: what chance works on. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createS3Server, type S3Server } from '#sandbox';
import { unitHome } from '../../../charms/database/src/unit-home.ts';
import { type Connection, SampleDatabase } from '../../../lib/demo/sample-database.ts';
import { JujuSandbox, type SandboxStatus, type UnitStatus } from '../../helpers/juju-sandbox.ts';
import { packedCharm } from '../../helpers/packed-charms.ts';
import { processesUsing } from '../../helpers/processes.ts';
import { Bounds } from './bounds.ts';
import { Evidence, type JobPlace } from './evidence.ts';
import { Reference } from './reference.ts';

export const DATABASES = ['db1', 'db2'] as const;
export const MANAGER = 'backup-manager';
export const LEADER = `${MANAGER}/leader`;
const STATE_ROOT = '/var/lib/database-charm';
// More units than a run ever makes.
const MAX_UNITS = 40;

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

/** A job as the manager lists it. */
export interface ListedJob {
  readonly 'job-id': string;
  readonly database: string;
  readonly type: 'backup' | 'restore';
  readonly status: string;
  readonly unit?: string;
  readonly 'artefact-path'?: string;
  readonly 'error-code'?: string;
  readonly message?: string;
}

interface Answer {
  readonly status: string;
  readonly message?: string;
  readonly results?: Readonly<Record<string, string>>;
}

export class World {
  readonly sandbox: JujuSandbox;
  readonly charms: ReadonlyMap<string, string>;
  readonly evidence: Evidence;
  readonly reference = new Reference();
  readonly bounds = new Bounds();
  /** All S3 keys there ever were. */
  readonly planted: string[] = [];
  readonly stoppedAgents = new Set<string>();
  /** Units that go or are gone. */
  readonly removed = new Set<string>();
  /** As last looked at. */
  status: SandboxStatus = { applications: {} };
  /** Databases without a relation to the manager at the moment. */
  readonly unrelated = new Set<string>();
  /** Databases of which the manager has told a successful backup. */
  readonly backedUp = new Set<string>();
  /** Databases whose relation was ever removed. */
  readonly everUnrelated = new Set<string>();
  readonly modelUuid: string;
  keys: Keys;
  secretName = 's3-credentials';
  /** The manager's jobs as last listed, by id; none is forgotten unless it was cleared. */
  listed: ReadonlyMap<string, ListedJob> = new Map();
  readonly #chance: () => number;
  readonly #s3Directory: string;
  #s3: S3Server | undefined;
  #s3Port = 0;
  #secrets = 0;
  #words = 0;
  readonly #places: readonly JobPlace[];
  readonly #connections = new Map<string, SampleDatabase>();

  private constructor(
    chance: () => number,
    made: {
      sandbox: JujuSandbox;
      modelUuid: string;
      s3Directory: string;
      charms: ReadonlyMap<string, string>;
    },
  ) {
    this.#chance = chance;
    this.sandbox = made.sandbox;
    this.charms = made.charms;
    this.modelUuid = made.modelUuid;
    this.#s3Directory = made.s3Directory;
    this.keys = this.#newKeys();
    this.#places = DATABASES.flatMap((name) => this.homesOf(name)).map(
      ({ unit, stateDirectory }) => ({ unit, directory: join(stateDirectory, 'jobs') }),
    );
    this.evidence = new Evidence(() => this.places());
  }

  static async create(chance: () => number): Promise<World> {
    const charms = await Promise.all(
      ['database', 'backup-manager'].map(
        async (name) => [name, (await packedCharm(name)).path] as const,
      ),
    );
    const sandbox = await JujuSandbox.bootstrap();
    const models = JSON.parse(await sandbox.juju('models', '--format', 'json')) as {
      readonly models: readonly { readonly 'model-uuid': string }[];
    };
    const world = new World(chance, {
      sandbox,
      modelUuid: models.models[0]?.['model-uuid'] ?? '',
      s3Directory: await mkdtemp(join(tmpdir(), 's3-random-')),
      charms: new Map(charms),
    });
    await world.#deploy();
    return world;
  }

  async #deploy(): Promise<void> {
    const { sandbox, charms } = this;
    await this.startS3();
    // As often as Juju allows: what no event tells must be found by it.
    await sandbox.juju('model-config', 'update-status-hook-interval=1m');
    for (const name of DATABASES) {
      await sandbox.juju('deploy', charms.get('database') ?? '', name, '-n', '2');
    }
    await sandbox.juju('deploy', charms.get(MANAGER) ?? '', '-n', '2');
    const uri = await sandbox.juju('add-secret', this.secretName, ...(await this.keyFiles()));
    await sandbox.juju('grant-secret', this.secretName, MANAGER);
    await sandbox.juju(
      'config',
      MANAGER,
      `endpoint=http://127.0.0.1:${this.#s3Port}`,
      'bucket=backups',
      `credentials=${uri.trim()}`,
    );
    for (const name of DATABASES) {
      await sandbox.juju('integrate', name, MANAGER);
    }
    this.evidence.start();
    for (const name of [...DATABASES, MANAGER]) {
      await sandbox.waitForApplication(name);
    }
  }

  below(count: number): number {
    return Math.floor(this.#chance() * count);
  }

  pick<T>(items: Iterable<T>): T | undefined {
    const all = [...items];
    return all[this.below(all.length)];
  }

  get database(): string {
    return this.pick(DATABASES) ?? 'db1';
  }

  get isS3Up(): boolean {
    return this.#s3 !== undefined;
  }

  async startS3(): Promise<void> {
    this.#s3 ??= await createS3Server({
      directory: this.#s3Directory,
      ...this.keys,
      buckets: ['backups'],
      port: this.#s3Port,
      // Some data take their time, so that what happens meanwhile happens in the middle of a job.
      faults: ({ operation, key }) =>
        ['PutObject', 'GetObject'].includes(operation) && key.includes('/chunks/')
          ? { kind: 'delay', ms: 400 }
          : undefined,
    });
    this.#s3Port = this.#s3.port;
  }

  async stopS3(): Promise<void> {
    await this.#s3?.close();
    this.#s3 = undefined;
  }

  /** The server knows other keys from now on. */
  replaceKeys(): void {
    this.keys = this.#newKeys();
    this.#s3?.replaceCredentials(this.keys);
  }

  nextSecretName(): string {
    this.#secrets += 1;
    this.secretName = `s3-credentials-${this.#secrets}`;
    return this.secretName;
  }

  async keyFiles(): Promise<readonly string[]> {
    const name = `keys-${this.planted.length}`;
    return [
      `access-key#file=${await this.sandbox.privateFile(`${name}-a`, this.keys.accessKey)}`,
      `secret-key#file=${await this.sandbox.privateFile(`${name}-s`, this.keys.secretKey)}`,
    ];
  }

  nextWord(): string {
    this.#words += 1;
    return `w${this.#words}`;
  }

  home(unit: string) {
    return unitHome({ unitName: unit, modelUuid: this.modelUuid }, STATE_ROOT);
  }

  homesOf(application: string) {
    return Array.from({ length: MAX_UNITS }, (_, number) => {
      const unit = `${application}/${number}`;
      return { unit, ...this.home(unit) };
    });
  }

  places(): readonly JobPlace[] {
    return this.#places;
  }

  async startAgents(): Promise<void> {
    for (const unit of this.stoppedAgents) {
      await this.sandbox.juju('sandbox', 'start-agent', unit);
      this.stoppedAgents.delete(unit);
    }
    this.bounds.disturbed();
  }

  /** @returns what juju said, which refuses while the old relation is still going */
  async relate(database: string): Promise<string> {
    const { exitCode, stderr } = await this.sandbox.tryJuju(['integrate', database, MANAGER]);
    if (exitCode === 0) {
      this.unrelated.delete(database);
    }
    return stderr;
  }

  /** Looks at the model: units that came hold nothing yet. */
  async look(): Promise<SandboxStatus> {
    this.status = JSON.parse(
      await this.sandbox.juju('status', '--format', 'json'),
    ) as SandboxStatus;
    for (const unit of DATABASES.flatMap((name) => this.units(name))) {
      if (!this.reference.contents.has(unit) && !this.removed.has(unit)) {
        this.reference.contents.set(unit, '');
      }
    }
    return this.status;
  }

  unit(name: string): UnitStatus | undefined {
    return this.status.applications[name.split('/')[0] ?? '']?.units?.[name];
  }

  units(application: string): readonly string[] {
    return Object.keys(this.status.applications[application]?.units ?? {});
  }

  /** Whether it is one that stays, set up, with an agent that answers. */
  isUp(unit: string): boolean {
    return (
      !this.removed.has(unit) &&
      !this.stoppedAgents.has(unit) &&
      this.unit(unit)?.['workload-status'].current === 'active'
    );
  }

  get allUnits(): readonly string[] {
    return [...DATABASES, MANAGER].flatMap((name) => this.units(name));
  }

  /** Runs an action of the manager, where its unit is there to answer; `none` where juju refused or nobody answered. */
  async act(unit: string, action: string, params: Readonly<Record<string, string>> = {}) {
    const args = Object.entries(params).map(([key, value]) => `${key}=${value}`);
    const { stdout, stderr } = await this.sandbox.tryJuju([
      'run',
      unit,
      action,
      ...args,
      '--format',
      'json',
      '--wait',
      '2m',
    ]);
    const answers = stdout.trim() === '' ? {} : (JSON.parse(stdout) as Record<string, Answer>);
    const [answer] = Object.values(answers);
    return {
      status: answer?.status ?? 'none',
      message: answer === undefined ? stderr.trim() : (answer.message ?? ''),
      results: answer?.results ?? {},
    };
  }

  /** The manager's leader as `juju run` names it; undefined while its agent is away or its unit is going. */
  get leader(): string | undefined {
    const unit = this.units(MANAGER).find((name) => this.unit(name)?.leader === true);
    return unit === undefined || this.stoppedAgents.has(unit) || this.removed.has(unit)
      ? undefined
      : LEADER;
  }

  /** All jobs the manager knows: any of its units can tell. */
  async list(): Promise<ReadonlyMap<string, ListedJob>> {
    const unit = this.units(MANAGER).find(
      (name) =>
        !this.stoppedAgents.has(name) &&
        !this.removed.has(name) &&
        this.unit(name)?.['workload-status'].current !== 'waiting',
    );
    const { status, message, results } = await this.act(unit ?? LEADER, 'list-jobs', {
      format: 'json',
      limit: '200',
    });
    if (status !== 'completed') {
      throw new Error(`list-jobs: ${status} ${message}`);
    }
    const text = results['jobs'] ?? '[]';
    const jobs = JSON.parse(text) as readonly ListedJob[];
    return new Map(jobs.map((job) => [job['job-id'], job]));
  }

  /** The server of a unit, with the words of its administrator. */
  async server(unit: string): Promise<SampleDatabase> {
    const known = this.#connections.get(unit);
    if (known !== undefined) {
      return known;
    }
    const { results, status, message } = await this.sandbox.run(unit, 'get-connection');
    if (status !== 'completed') {
      throw new Error(`get-connection of ${unit}: ${status} ${message}`);
    }
    const server = new SampleDatabase(results as unknown as Connection);
    this.#connections.set(unit, server);
    return server;
  }

  /** What a server holds, in a line; rejects where it does not answer. */
  async contentOf(unit: string): Promise<string> {
    const server = await this.server(unit);
    if ((await server.query("SELECT to_regclass('public.model') IS NULL")) === 't') {
      return '';
    }
    return await server.query(
      "SELECT coalesce(string_agg(line, ' ' ORDER BY line), 'empty') FROM (SELECT word || '=' || count(*) || '/' || md5(string_agg(payload, '' ORDER BY payload)) AS line FROM model GROUP BY word) AS words",
    );
  }

  /** Writes what nobody wrote before, and now and then forgets all that was. */
  async write(unit: string): Promise<void> {
    const server = await this.server(unit);
    // What ended before holds what was there before.
    await this.evidence.look();
    this.reference.apply(this.evidence.jobs.values());
    const word = this.nextWord();
    await server.query('CREATE TABLE IF NOT EXISTS model (word text, payload text)');
    if (this.below(4) === 0) {
      await server.query('DELETE FROM model');
    }
    await server.query(
      `INSERT INTO model SELECT '${word}', gen_random_uuid()::text FROM generate_series(1, 20000)`,
    );
    const content = await this.contentOf(unit);
    if (!content.includes(`${word}=20000/`)) {
      throw new Error(`${unit} took ${word} and does not have it: ${content}`);
    }
    this.reference.contents.set(unit, content);
  }

  /** Ends everything. @returns what was left behind */
  async destroy(): Promise<readonly string[]> {
    await this.evidence.stop();
    // A unit without an agent would not stop its server.
    await this.startAgents();
    await this.sandbox.destroy();
    await this.stopS3();
    await rm(this.#s3Directory, { recursive: true, force: true });
    return await processesUsing(this.sandbox.dataDirectory);
  }

  get s3Directory(): string {
    return this.#s3Directory;
  }

  #newKeys(): Keys {
    const number = this.planted.length / 2;
    // Not of the seed: nobody else on this machine may have them.
    const keys = {
      accessKey: `RANDOM${number}${randomBytes(8).toString('hex').toUpperCase()}`,
      secretKey: `planted-${number}-${randomBytes(16).toString('hex')}`,
    };
    this.planted.push(keys.accessKey, keys.secretKey);
    return keys;
  }
}
