/** The tools that are measured beside each other: how each backs up and restores the same cluster to the same server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresqlEngineConfig } from '#engines';
import { artefactPathFor, chunkPrefixFor } from '#snapshots';
import { runProcess } from '#system';
import { nodeBinary } from '#tooling';
import type { Command } from './measure.ts';

export interface Stage {
  readonly scratch: string;
  readonly cluster: PostgresqlEngineConfig;
  readonly s3: {
    readonly tlsEndpoint: string;
    readonly bucket: string;
    readonly accessKey: string;
    readonly secretKey: string;
    readonly caPem: string;
  };
}

export interface Rival {
  readonly name: string;
  /** Below this the objects of a round lie; undefined where nothing is stored. */
  readonly prefix: string | undefined;
  readonly prepare?: () => Promise<void>;
  /** The `number`-th backup of the round, 0 for the first. */
  readonly backUp: (number: number) => Command;
  /** Of the latest backup, into an empty directory. */
  readonly restore?: (directory: string) => Command;
  /** One file of it, thrown away. */
  readonly restoreItem?: (path: string) => Command;
}

/** pg_basebackup as everybody here uses it. */
function baseBackup({ cluster }: Stage): string {
  const login = `-h ${cluster.socketDirectory} -p ${cluster.port} -U ${cluster.backupRole.name}`;
  return `/usr/lib/postgresql/${cluster.version}/bin/pg_basebackup ${login} -D - -Ft -X fetch -c fast --no-manifest`;
}

function password({ cluster }: Stage): Record<string, string> {
  return { PGPASSWORD: cluster.backupRole.password };
}

/** The least it can take: reading and compressing, and keeping nothing. */
export function limit(stage: Stage): Rival {
  return {
    name: 'pg_basebackup | zstd -3 -T2',
    prefix: undefined,
    backUp: () => ({
      script: `${baseBackup(stage)} | zstd -q -3 -T2 > /dev/null`,
      env: password(stage),
    }),
  };
}

/** The same, kept: as one object, in parts of 16 MB. */
export async function uploadedLimit(stage: Stage, round: number): Promise<Rival> {
  const { scratch, s3 } = stage;
  const { host } = new URL(s3.tlsEndpoint);
  const file = join(scratch, `s3cmd-${round}`);
  const settings = {
    access_key: s3.accessKey,
    secret_key: s3.secretKey,
    host_base: host,
    host_bucket: host,
    ca_certs_file: join(scratch, 'ca.pem'),
    check_ssl_hostname: 'False',
    multipart_chunk_size_mb: '16',
  };
  await writeFile(file, `[default]\n${lines(settings)}`, { mode: 0o600 });
  const prefix = `stream-${round}/`;
  return {
    name: 'the same | s3cmd put',
    prefix,
    backUp: (number) => ({
      script: `${baseBackup(stage)} | zstd -q -3 -T2 | s3cmd -q -c ${file} put - s3://${s3.bucket}/${prefix}${number}`,
      env: password(stage),
    }),
  };
}

export interface OurWay {
  readonly level: number;
  readonly isEncrypted: boolean;
}

/** Our worker's program, bundled as the charm has it. */
export function ours(stage: Stage, program: string, round: number, way: OurWay): Rival {
  const { level, isEncrypted } = way;
  const path = `ours-${level}-${round}${isEncrypted ? '-encrypted' : ''}`;
  const place = { path, model: 'bench', app: 'db' };
  let latest = '';
  const order = (task: string, more: object): Command => ({
    // As the charm starts it.
    script: `${nodeBinary()} --max-semi-space-size=2 ${program}`,
    env: { MALLOC_ARENA_MAX: '2', NODE_COMPILE_CACHE: join(stage.scratch, 'compiled') },
    input: JSON.stringify({
      task,
      engine: stage.cluster,
      level,
      ...(isEncrypted ? { passphrase: 'for the bench only, and long enough' } : {}),
      chunkPrefix: chunkPrefixFor(place),
      storage: {
        bucket: stage.s3.bucket,
        endpoint: stage.s3.tlsEndpoint,
        'access-key': stage.s3.accessKey,
        'secret-key': stage.s3.secretKey,
        'tls-ca-chain': [stage.s3.caPem],
      },
      ...more,
    }),
  });
  return {
    name: `ours, zstd ${level}${isEncrypted ? ', encrypted' : ''}`,
    prefix: `${place.path}/`,
    backUp: (number) => {
      latest = artefactPathFor({ ...place, jobId: `job-${number}`, time: minute(number) });
      return order('backup', { artefactPath: latest });
    },
    restore: (directory) => order('restore', { artefactPath: latest, directory }),
    restoreItem: (item) => order('item', { artefactPath: latest, item }),
  };
}

function minute(number: number): Date {
  return new Date(Date.UTC(2026, 0, 1, 0, number));
}

/**
 * With the settings its manual recommends for S3, and two processes; bundles and block increments where it knows them.
 * @param program `pgbackrest`, or the path of another version
 */
export async function pgBackRest(stage: Stage, round: number, program: string): Promise<Rival> {
  const { scratch, cluster } = stage;
  const release = await version(program, 'version');
  const name = `pgbackrest-${release}-${round}`;
  const home = join(scratch, name);
  await mkdir(home);
  const file = join(home, 'pgbackrest.conf');
  const global = { ...globalSettings(stage, name, home), ...newerSettings(release) };
  const text = `[global]\n${lines(global)}\n[db]\n${lines(instanceSettings(stage))}`;
  await writeFile(file, text, { mode: 0o600 });
  const command = `${program} --config=${file} --stanza=db`;
  const env = { PGPASSWORD: cluster.adminRole?.password ?? '' };
  return {
    name: `pgBackRest ${release}`,
    prefix: `${name}/`,
    prepare: async () => {
      await runProcess('bash', ['-ec', `${command} --no-online stanza-create`], {
        env: { PATH: process.env['PATH'] ?? '', ...env },
        timeoutMs: 60_000,
      });
    },
    backUp: (number) => ({
      script: `${command} --type=${number === 0 ? 'full' : 'incr'} --no-archive-check backup`,
      env,
    }),
    restore: (directory) => ({
      script: `${command} --pg1-path=${directory} --type=none restore`,
    }),
  };
}

/** Block increments came with 2.46, and need bundles; 2.59 refuses root unless told. */
function newerSettings(release: string): Readonly<Record<string, string>> {
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const since = (first: number): boolean => major > 2 || minor >= first;
  return {
    ...(since(46) ? { 'repo1-bundle': 'y', 'repo1-block': 'y' } : {}),
    ...(since(59) ? { 'allow-root': 'y' } : {}),
  };
}

function globalSettings({ scratch, s3 }: Stage, name: string, home: string) {
  // It compares names of certificates only, not addresses.
  const [hostname, { port }] = ['localhost', new URL(s3.tlsEndpoint)];
  return {
    'repo1-type': 's3',
    'repo1-path': `/${name}`,
    'repo1-s3-endpoint': hostname,
    'repo1-storage-port': port,
    'repo1-storage-ca-file': join(scratch, 'ca.pem'),
    'repo1-s3-uri-style': 'path',
    'repo1-s3-region': 'us-east-1',
    'repo1-s3-bucket': s3.bucket,
    'repo1-s3-key': s3.accessKey,
    'repo1-s3-key-secret': s3.secretKey,
    'compress-type': 'zst',
    'compress-level': '3',
    'process-max': '2',
    'start-fast': 'y',
    'archive-check': 'n',
    'lock-path': join(home, 'lock'),
    'log-path': home,
    'log-level-file': 'off',
    'log-level-console': 'error',
  };
}

function instanceSettings({ cluster }: Stage) {
  return {
    'pg1-path': cluster.dataDirectory,
    'pg1-port': String(cluster.port),
    'pg1-socket-path': cluster.socketDirectory,
    'pg1-user': cluster.adminRole?.name ?? '',
    'pg1-database': 'postgres',
  };
}

function lines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** The archive through its standard input, as people do with databases. */
export async function restic(stage: Stage, round: number): Promise<Rival> {
  const { scratch, s3 } = stage;
  const repository = `s3:${s3.tlsEndpoint}/${s3.bucket}/restic-${round}`;
  const options = `-q --cacert ${join(scratch, 'ca.pem')} -r ${repository} --cache-dir ${join(scratch, `restic-${round}`)}`;
  const env = {
    AWS_ACCESS_KEY_ID: s3.accessKey,
    AWS_SECRET_ACCESS_KEY: s3.secretKey,
    RESTIC_PASSWORD: 'bench',
  };
  return {
    name: `restic ${(await version('restic', 'version')).split(' ')[1] ?? ''}`,
    prefix: `restic-${round}/`,
    prepare: async () => {
      await runProcess('bash', ['-ec', `restic ${options} init`], {
        env: { PATH: process.env['PATH'] ?? '', ...env },
        timeoutMs: 60_000,
      });
    },
    backUp: () => ({
      script: `${baseBackup(stage)} | restic ${options} backup --stdin --stdin-filename base.tar`,
      env: { ...env, ...password(stage) },
    }),
    restore: (directory) => ({
      script: `restic ${options} dump latest base.tar | tar -x -C ${directory}`,
      env,
    }),
    restoreItem: (path) => ({
      script: `restic ${options} dump latest base.tar | tar -x -O ${path} > /dev/null`,
      env,
    }),
  };
}

async function version(program: string, argument: string): Promise<string> {
  const { stdout } = await runProcess(program, [argument], { timeoutMs: 10_000 });
  return stdout.trim().replace(/^pgBackRest /, '');
}
