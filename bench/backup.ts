/**
 * Backs up and restores one PostgreSQL cluster with our worker, pgBackRest and restic, to the same Ceph gateway over TLS,
 * taking turns in one run. The data are about half compressible, as those of production tend to be. Prints ratios and
 * writes bench/results/backup.json. As root, on a machine that is otherwise idle.
 *
 *   node bench/backup.ts [--megabytes 1000] [--rounds 3] [--levels 1,3] [--encrypted] [--pgbackrest PATH]…
 *
 * The first column of a ratio is ours with the default level; `--encrypted` measures that encrypted, too. `machine CPU` is
 * that of all processes: client, PostgreSQL and gateway. Rivals come from Debian's packages, and further pgBackRests
 * from the paths told; one that cannot be installed is left out, and said so. docs/performance.md
 */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { createPostgresqlCluster, installPostgresql, type PostgresqlCluster } from '#engines';
import { createS3ObjectStore, type S3ObjectStore } from '#object-store';
import { describeError, runProcess } from '#system';
import { bundleProgram, ensureDebianPackages, projectRoot } from '#tooling';
import { startCephRgw } from '../test/helpers/ceph-rgw.ts';
import { type Cost, measure } from './backup/measure.ts';
import {
  limit,
  ours,
  pgBackRest,
  type Rival,
  restic,
  type Stage,
  uploadedLimit,
} from './backup/rivals.ts';

const BUCKET = 'bench';
const ROWS_PER_MEGABYTE = 4400;

interface Figure extends Cost {
  readonly rival: string;
  readonly phase: string;
  readonly round: number;
  /** Bytes and objects this step added to the bucket. */
  readonly storedBytes: number;
  readonly objects: number;
}

const CHANGES: readonly (readonly [phase: string, sql: string])[] = [
  ['second, unchanged', 'SELECT 1'],
  [
    'after 1 % of rows in a row',
    'UPDATE rows SET status = status + 1 WHERE id < (SELECT max(id) / 100 FROM rows)',
  ],
  ['after 0.05 % of rows anywhere', 'UPDATE rows SET status = status + 1 WHERE id % 2000 = 7'],
  ['after 1 % of rows anywhere', 'UPDATE rows SET status = status + 1 WHERE id % 100 = 7'],
];

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    levels: { type: 'string', default: '1,3' },
    encrypted: { type: 'boolean', default: false },
    pgbackrest: { type: 'string', multiple: true, default: [] },
  },
});
await main();

async function main(): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'bench-backup-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(async () => await rm(scratch, { recursive: true, force: true }));
  const gateway = cleanup.use(await startCephRgw());
  const cluster = await makeCluster(cleanup);
  await writeFile(join(scratch, 'ca.pem'), gateway.caPem);
  const stage: Stage = { scratch, cluster: cluster.config, s3: { ...gateway, bucket: BUCKET } };
  await makeBucket(stage, gateway.endpoint);
  const program = join(scratch, 'worker.cjs');
  await bundleProgram(join(projectRoot, 'bench', 'backup-worker.ts'), program);
  const store = createS3ObjectStore({ ...stage.s3, endpoint: gateway.endpoint });
  cleanup.defer(() => store.close());
  const figures: Figure[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const rivals = await makeRivals(stage, program, round);
    figures.push(...(await playRound(rivals, { round, scratch, store, cluster: cluster.cluster })));
  }
  print(figures);
  await keep(figures);
}

async function makeCluster(cleanup: AsyncDisposableStack) {
  const version = await installPostgresql({ runProcess });
  const cluster = await createPostgresqlCluster({
    version,
    cluster: `bench_${process.pid}`,
    runProcess,
    settings: { backupRole: 'bench_backup' },
  });
  cleanup.defer(async () => await cluster.drop());
  await cluster.start();
  const backupRole = { name: 'bench_backup', password: 'bench-only' };
  const adminRole = { name: 'bench_admin', password: 'bench-only' };
  await cluster.setRoles({ backup: backupRole, admin: adminRole });
  const rows = Number(values.megabytes) * ROWS_PER_MEGABYTE;
  // Hex digits of hashes shrink to half, names and counters to little: as production data, about 2 : 1.
  await cluster.sql(`CREATE TABLE rows AS
    SELECT i AS id, i % 97 AS status, md5(i::text) || md5((i + 1)::text) AS token, sha256(i::text::bytea) AS digest,
      'customer ' || i % 5000 || ', order of ' || i % 365 AS note FROM generate_series(1, ${rows}) AS i;
    ALTER TABLE rows ADD PRIMARY KEY (id); VACUUM FREEZE rows; CHECKPOINT;`);
  const config = { engine: 'postgresql' as const, ...cluster.instance, backupRole, adminRole };
  return { cluster, config };
}

async function makeBucket({ s3 }: Stage, endpoint: string): Promise<void> {
  const credentials = { accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey };
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}

async function makeRivals(stage: Stage, program: string, round: number): Promise<Rival[]> {
  const levels = values.levels.split(',').map(Number);
  const ways = [
    ...levels.map((level) => ({ level, isEncrypted: false })),
    ...(values.encrypted ? [{ level: levels[0] ?? 1, isEncrypted: true }] : []),
  ];
  const rivals = [limit(stage), ...ways.map((way) => ours(stage, program, round, way))];
  const makers = [
    ['s3cmd', async () => await uploadedLimit(stage, round)],
    ['pgbackrest', async () => await pgBackRest(stage, round, 'pgbackrest')],
    ...values.pgbackrest.map(
      (path) => [path, async () => await pgBackRest(stage, round, path)] as const,
    ),
    ['restic', async () => await restic(stage, round)],
  ] as const;
  for (const [name, make] of makers) {
    try {
      await ensureDebianPackages(name.includes('/') ? [] : [name]);
      const rival = await make();
      await rival.prepare?.();
      rivals.push(rival);
    } catch (error) {
      process.stdout.write(`${name} is not measured: ${describeError(error)}\n`);
    }
  }
  return rivals;
}

interface Round {
  readonly round: number;
  readonly scratch: string;
  readonly store: S3ObjectStore;
  readonly cluster: PostgresqlCluster;
}

async function playRound(rivals: readonly Rival[], round: Round): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rival of rivals) {
    figures.push(await play(rival, 'full', rival.backUp(0), round));
  }
  for (const [index, [phase, sql]] of CHANGES.entries()) {
    await round.cluster.sql(`${sql}; CHECKPOINT;`);
    for (const rival of rivals.filter(({ restore }) => restore !== undefined)) {
      figures.push(await play(rival, phase, rival.backUp(index + 1), round));
    }
  }
  figures.push(...(await playRestores(rivals, round)));
  for (const { prefix } of rivals) {
    await empty(round.store, prefix);
  }
  return figures;
}

async function playRestores(rivals: readonly Rival[], round: Round): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rival of rivals) {
    const directory = join(round.scratch, 'restored');
    await mkdir(directory, { mode: 0o700 });
    const command = rival.restore?.(directory);
    if (command !== undefined) {
      figures.push(await play(rival, 'restore', command, round));
      await assertRestored(directory, rival);
    }
    await rm(directory, { recursive: true });
  }
  const item = await round.cluster.sql("SELECT pg_relation_filepath('rows')");
  for (const rival of rivals) {
    const command = rival.restoreItem?.(item.trim());
    if (command !== undefined) {
      figures.push(await play(rival, 'one file', command, round));
    }
  }
  return figures;
}

async function play(
  rival: Rival,
  phase: string,
  command: ReturnType<Rival['backUp']>,
  { round, store }: Round,
): Promise<Figure> {
  const before = await contents(store, rival.prefix);
  const cost = await measure(command);
  const after = await contents(store, rival.prefix);
  const figure = {
    rival: rival.name,
    phase,
    round,
    ...cost,
    storedBytes: after.bytes - before.bytes,
    objects: after.objects - before.objects,
  };
  process.stdout.write(`${phase}, ${rival.name}: ${(cost.wallMs / 1000).toFixed(2)} s\n`);
  return figure;
}

/** A rival that restored nothing would be the fastest. */
async function assertRestored(directory: string, rival: Rival): Promise<void> {
  if (!(await readdir(directory)).includes('PG_VERSION')) {
    throw new Error(`${rival.name} restored nothing to ${directory}`);
  }
}

async function contents(store: S3ObjectStore, prefix: string | undefined) {
  let bytes = 0;
  let objects = 0;
  if (prefix !== undefined) {
    for await (const { size } of store.list(prefix)) {
      bytes += size;
      objects += 1;
    }
  }
  return { bytes, objects };
}

async function empty(store: S3ObjectStore, prefix: string | undefined): Promise<void> {
  if (prefix !== undefined) {
    const keys: string[] = [];
    for await (const { key } of store.list(prefix)) {
      keys.push(key);
    }
    await store.delete(keys);
  }
}

function print(figures: readonly Figure[]): void {
  const phases = Map.groupBy(figures, ({ phase }) => phase);
  const head = [
    'phase',
    'tool',
    'wall s',
    'ratio',
    'client CPU s',
    'machine CPU s',
    'stored MB',
    'objects',
    'peak MiB',
  ];
  const rows = [...phases].flatMap(([phase, ofPhase]) => {
    const rivals = [...Map.groupBy(ofPhase, ({ rival }) => rival)];
    const own = median(
      ofPhase.filter(({ rival }) => rival.startsWith('ours')).slice(0, 1),
      'wallMs',
    );
    const first = rivals.find(([name]) => name.startsWith('ours'))?.[1] ?? [];
    const base = median(first, 'wallMs') || own;
    return rivals.map(([name, all]) => [
      phase,
      name,
      (median(all, 'wallMs') / 1000).toFixed(2),
      (base / median(all, 'wallMs')).toFixed(2),
      (median(all, 'clientCpuMs') / 1000).toFixed(2),
      (median(all, 'machineCpuMs') / 1000).toFixed(2),
      (median(all, 'storedBytes') / 1e6).toFixed(2),
      String(median(all, 'objects')),
      String(median(all, 'peakMiB')),
    ]);
  });
  process.stdout.write(
    '\nratio: our wall time (first level) over that of the tool; below 1 we are faster\n',
  );
  for (const row of [head, ...rows]) {
    process.stdout.write(
      `${row.map((cell, index) => cell.padEnd([30, 28][index] ?? 14)).join('')}\n`,
    );
  }
}

function median(figures: readonly Figure[], name: keyof Cost | 'storedBytes' | 'objects'): number {
  const sorted = figures.map((figure) => figure[name]).toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? 0;
}

async function keep(figures: readonly Figure[]): Promise<void> {
  const directory = join(projectRoot, 'bench', 'results');
  await mkdir(directory, { recursive: true });
  const machine = {
    cpus: cpus().map(({ model }) => model),
    node: process.version,
    when: new Date(),
  };
  const text = JSON.stringify({ machine, options: values, figures }, undefined, 2);
  await writeFile(join(directory, 'backup.json'), `${text}\n`);
}
