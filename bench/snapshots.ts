/**
 * Writes and restores half-compressible data through lib/snapshots, to a directory and to S3, and prints
 * MB/s and the peak resident memory. Each phase runs in a process of its own, because memory only grows.
 *
 *   node bench/snapshots.ts [--megabytes 500] [--stores directory,s3] [--endpoint URL --bucket B --access-key K]
 *
 * Without --endpoint the S3 server of the sandbox runs in yet another process. With it, the secret key is read
 * from the environment variable BENCH_SECRET_KEY.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  createDirectoryObjectStore,
  createS3ObjectStore,
  type ObjectStore,
  type S3Options,
} from '#object-store';
import { createS3Server } from '#sandbox';
import {
  artefactPathFor,
  chunkPrefixFor,
  listSnapshots,
  openSnapshot,
  type SnapshotEntry,
  writeSnapshot,
} from '#snapshots';

const LOCATION = { model: 'bench', app: 'db' };
const FILE_SIZE = 16_000_000;
const PIECE_SIZE = 65_536;
const PHASES: readonly Phase[] = ['full backup', 'unchanged backup', 'verify', 'restore'];

interface Options {
  readonly phase: Phase;
  /** The same random bytes for every phase, in base64. */
  readonly pattern: string;
  readonly megabytes: number;
  readonly store: string;
  readonly directory: string;
  readonly s3: S3Options | undefined;
  readonly compression: boolean;
}

/** Blocks of rows: half the bytes random, half from a small vocabulary, as production data tend to be. */
function makePattern(): Buffer {
  const pattern = Buffer.alloc(64 * PIECE_SIZE);
  for (let at = 0; at < pattern.length; at += 64) {
    randomFillSync(pattern, at, 26);
    pattern.write(`|row=${at % 9973};status=ok;name=abc;    `, at + 26, 38, 'latin1');
  }
  return pattern;
}

async function* makeEntries(bytes: number, pattern: Buffer): AsyncIterable<SnapshotEntry> {
  for (let index = 0; index < 1000; index += 1) {
    const content = Buffer.from(`small file ${index}`.repeat(40));
    yield { kind: 'file', path: `small/${index}`, size: content.length, open: () => once(content) };
  }
  for (let at = 0; at < bytes; at += FILE_SIZE) {
    const size = Math.min(FILE_SIZE, bytes - at);
    const open = (): AsyncIterable<Uint8Array> => makeContent(size, at / FILE_SIZE, pattern);
    yield { kind: 'file', path: `base/${at / FILE_SIZE}`, mode: 0o600, size, open };
  }
}

async function* once(content: Buffer): AsyncIterable<Uint8Array> {
  yield content;
}

async function* makeContent(
  size: number,
  seed: number,
  pattern: Buffer,
): AsyncIterable<Uint8Array> {
  const piece = Buffer.alloc(PIECE_SIZE);
  for (let done = 0, block = 0; done < size; block += 1) {
    const at = ((seed * 31 + block) % 64) * PIECE_SIZE;
    pattern.copy(piece, 0, at, at + PIECE_SIZE);
    // Otherwise the blocks of one file would be found in the others.
    piece.writeUInt32LE(seed, 0);
    piece.writeUInt32LE(block, 4);
    const length = Math.min(PIECE_SIZE, size - done);
    yield piece.subarray(0, length);
    done += length;
  }
}

async function measure<T>(name: string, bytes: number, work: () => Promise<T>): Promise<T> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  console.log(
    [
      name.padEnd(26),
      `${seconds.toFixed(2)} s`.padStart(9),
      `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`.padStart(10),
      `cpu ${((used.user + used.system) / 1e6).toFixed(1)} s`.padStart(11),
      `peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`.padStart(13),
    ].join('  '),
  );
  return result;
}

type Phase = 'full backup' | 'unchanged backup' | 'verify' | 'restore';

async function benchPhase(store: ObjectStore, options: Options): Promise<void> {
  const { phase } = options;
  const bytes = options.megabytes * 1_000_000;
  const name = `${options.store}: ${phase}`;
  if (phase === 'full backup' || phase === 'unchanged backup') {
    const pattern = Buffer.from(options.pattern, 'base64');
    const jobId = phase.replace(' ', '-');
    const summary = await measure(name, bytes, async () => {
      return await writeSnapshot({
        store,
        artefactPath: artefactPathFor({ ...LOCATION, jobId, time: new Date() }),
        chunkPrefix: chunkPrefixFor(LOCATION),
        entries: makeEntries(bytes, pattern),
        compression: options.compression,
        attributes: {},
      });
    });
    console.log(`  ${(summary.newBytes / 1e6).toFixed(1)} MB stored`);
    return;
  }
  const artefactPath = (await listSnapshots(store, '')).snapshots[0]?.artefactPath ?? '';
  const snapshot = await openSnapshot(store, artefactPath);
  await measure(name, bytes, async () => {
    return phase === 'verify'
      ? await snapshot.verify()
      : await snapshot.restoreTo({ directory: join(options.directory, 'restored') });
  });
}

async function runWorker(options: Options): Promise<void> {
  if (options.s3 === undefined) {
    const store = createDirectoryObjectStore(join(options.directory, 'store'));
    await benchPhase(store, options);
    return;
  }
  const store = createS3ObjectStore(options.s3);
  await benchPhase(store, options);
  store.close();
}

async function runServer(directory: string): Promise<void> {
  const keys = { accessKey: 'BENCHACCESSKEY', secretKey: 'bench-secret-key' };
  const server = await createS3Server({ directory, ...keys, buckets: ['bench'] });
  process.send?.({ endpoint: server.endpoint, bucket: 'bench', ...keys });
  process.once('disconnect', () => void server.close().then(() => process.exit()));
}

function spawnRole(role: object): ChildProcess {
  const child = fork(fileURLToPath(import.meta.url), [], {
    env: { ...process.env, BENCH_ROLE: '1' },
  });
  child.send(role);
  return child;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      megabytes: { type: 'string', default: '500' },
      stores: { type: 'string', default: 'directory,s3' },
      endpoint: { type: 'string' },
      bucket: { type: 'string', default: 'bench' },
      'access-key': { type: 'string', default: '' },
      'no-compression': { type: 'boolean', default: false },
    },
  });
  const pattern = makePattern().toString('base64');
  for (const store of values.stores.split(',')) {
    const directory = await mkdtemp(join(tmpdir(), 'bench-snapshots-'));
    let server: ChildProcess | undefined;
    let s3: S3Options | undefined;
    if (store === 's3' && values.endpoint !== undefined) {
      const secretKey = process.env['BENCH_SECRET_KEY'] ?? '';
      const accessKey = values['access-key'];
      s3 = { endpoint: values.endpoint, bucket: values.bucket, accessKey, secretKey };
    } else if (store === 's3') {
      server = spawnRole({ role: 'server', directory: join(directory, 'server') });
      s3 = await new Promise<S3Options>((resolve) => server?.once('message', resolve as never));
    }
    const options = {
      pattern,
      megabytes: Number(values.megabytes),
      store,
      directory,
      s3,
      compression: !values['no-compression'],
    };
    for (const phase of PHASES) {
      const worker = spawnRole({ role: 'worker', options: { ...options, phase } });
      await new Promise((resolve) => worker.once('exit', resolve));
    }
    server?.disconnect();
    await rm(directory, { recursive: true, force: true });
  }
}

if (process.env['BENCH_ROLE'] === undefined) {
  await main();
} else {
  process.once('message', (message: { role: string; directory: string; options: Options }) => {
    if (message.role === 'server') {
      void runServer(message.directory);
    } else {
      void runWorker(message.options).then(() => process.disconnect());
    }
  });
}
