/**
 * What a dispatch of each charm costs with a long history: 200 relations and 0, 1,000 and 10,000 finished jobs that
 * are all still asked for, the worst a requirer can do; "with key" is the manager in an action that opens the keys of an encrypted
 * backup with the passphrase (scrypt) and looks into its index over S3. Each row is a process of its own: processor time and peak
 * memory of it, Node included, bundled and started as packed charms are. Juju and the hook tools are left out; what is
 * read from disk (the journal) is read. Prints a table and writes bench/results/reconcile.json.
 *
 *   node bench/reconcile.ts [--jobs 0,1000,10000] [--relations 200] [--limit MIB]
 *
 * Fails where a row takes more than the limit (150 MiB), or where ten times the jobs cost more than twelve times the
 * processor time beyond that of none.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createS3ObjectStore } from '#object-store';
import { createS3Server, type S3Server } from '#sandbox';
import { ensureKey, rotateKey, type SnapshotEntry, writeSnapshot } from '#snapshots';
import { bundleProgram, projectRoot } from '#tooling';
import { NODE_FLAGS } from '../lib/tooling/pack-charm.ts';
import type { Figures, Scale, Sealed } from './reconcile-dispatch.ts';

const RESULTS = join(projectRoot, 'bench', 'results');
const PROGRAM = join(RESULTS, 'reconcile-dispatch.cjs');

/** Of a dispatch, in multiples of the growth in jobs. */
const LINEAR = 1.2;
/** Processor time that differs from run to run by less says nothing. */
const NOISE_MS = 10;
/** Of a large cluster. */
const FILES = 10_000;

const CHARMS = ['database', 'manager', 'with key'] as const;

async function inChild(mode: string, scale: Scale): Promise<string> {
  const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM, mode, JSON.stringify(scale)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(RESULTS, '.compile-cache') },
  });
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (status !== 0) {
    throw new Error(`${mode} failed`);
  }
  return output;
}

/** A backup of many files, encrypted, with three keys to open. */
async function seal(server: S3Server): Promise<Sealed> {
  const access = { 'access-key': 'BENCH', 'secret-key': 'bench-secret' };
  const options = { accessKey: access['access-key'], secretKey: access['secret-key'] };
  const store = createS3ObjectStore({ endpoint: server.endpoint, bucket: 'backups', ...options });
  const prefix = 'production/model/db/';
  const artefactPath = `${prefix}backups/20261122T100000Z-job-1/`;
  const place = { store, chunkPrefix: `${prefix}chunks/` };
  const passphrase = 'a passphrase long enough';
  await rotateKey(place, passphrase);
  await rotateKey(place, passphrase);
  const { current } = await ensureKey(place, passphrase);
  await writeSnapshot({
    ...place,
    artefactPath,
    entries: manyFiles(),
    compression: true,
    attributes: {},
    key: current,
  });
  store.close();
  const config = { bucket: 'backups', endpoint: server.endpoint, ...access };
  return { config, prefix, artefactPath, passphrase };
}

async function* manyFiles(): AsyncIterable<SnapshotEntry> {
  for (let index = 0; index < FILES; index += 1) {
    const path = `base/${index % 100}/${index}`;
    yield { kind: 'file', path, mode: 0o600, open: () => onlyPiece(Buffer.from(path)) };
  }
}

async function* onlyPiece(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}

async function measureAll(
  counts: readonly number[],
  relations: number,
  sealed: Sealed,
): Promise<Figures[]> {
  const rows: Figures[] = [];
  for (const jobs of counts) {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'bench-reconcile-'));
    try {
      const scale = { jobs, relations, stateDirectory, sealed };
      await inChild('prepare', scale);
      for (const charm of CHARMS) {
        // The first fills the compile cache, as the first dispatch after a deployment does.
        // oxlint-disable-next-line no-await-in-loop
        await inChild(charm, scale);
        // oxlint-disable-next-line no-await-in-loop
        rows.push(JSON.parse(await inChild(charm, scale)) as Figures);
      }
    } finally {
      await rm(stateDirectory, { recursive: true, force: true });
    }
  }
  return rows;
}

/** What breaks the goals, in words. */
function complaints(rows: readonly Figures[], limitMiB: number): readonly string[] {
  const heavy = rows
    .filter(({ peakMiB }) => peakMiB > limitMiB)
    .map(({ charm, jobs, peakMiB }) => `${charm}, ${jobs} jobs: ${peakMiB} MiB`);
  const steep = ['database', 'manager'].flatMap((charm) => {
    const [none, some, many] = rows.filter((row) => row.charm === charm);
    if (none === undefined || some === undefined || many === undefined || none.jobs !== 0) {
      return [];
    }
    const growth = (many.cpuMs - none.cpuMs) / Math.max(NOISE_MS, some.cpuMs - none.cpuMs);
    return growth > LINEAR * (many.jobs / some.jobs)
      ? [
          `${charm}: ${many.jobs / some.jobs} times the jobs cost ${growth.toFixed(1)} times as much`,
        ]
      : [];
  });
  return [...heavy, ...steep];
}

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '0,1000,10000' },
    relations: { type: 'string', default: '200' },
    limit: { type: 'string', default: '150' },
  },
});
await mkdir(RESULTS, { recursive: true });
await bundleProgram(join(projectRoot, 'bench', 'reconcile-dispatch.ts'), PROGRAM);
const directory = await mkdtemp(join(tmpdir(), 'bench-reconcile-s3-'));
const server = await createS3Server({
  directory,
  accessKey: 'BENCH',
  secretKey: 'bench-secret',
  buckets: ['backups'],
});
const counts = values.jobs.split(',').map(Number);
const rows = await measureAll(counts, Number(values.relations), await seal(server));
await server.close();
await rm(directory, { recursive: true, force: true });
for (const { charm, jobs, cpuMs, peakMiB } of rows) {
  const cells = [charm.padEnd(10), String(jobs).padStart(6), `${cpuMs} ms`.padStart(9)];
  process.stdout.write(`${cells.join('  ')}  ${String(peakMiB).padStart(4)} MiB\n`);
}
const machine = { node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
await writeFile(
  join(RESULTS, 'reconcile.json'),
  `${JSON.stringify({ machine, relations: Number(values.relations), rows }, undefined, 2)}\n`,
);
const wrong = complaints(rows, Number(values.limit));
if (wrong.length > 0) {
  process.stderr.write(`${wrong.join('\n')}\n`);
  process.exitCode = 1;
}
