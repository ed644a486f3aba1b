/**
 * What a tree of very many small files costs: walking it, a first backup of it, and one without any change, through the engine's walk
 * and fingerprints into a directory. Each phase runs in a process of its own, because memory only grows.
 *
 *   node bench/walk.ts [--files 1000000] [--bytes 200] [--directory DIR]
 *
 * `--directory` is where the tree is made (and removed); it needs some 4 KiB and an inode for each file.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDirectoryObjectStore } from '#object-store';
import { artefactPathFor, chunkPrefixFor, type SnapshotEntry, writeSnapshot } from '#snapshots';
import { fingerprintOf } from '../lib/engines/postgresql/base-backup/fingerprint.ts';
import { walkDataDirectory } from '../lib/engines/postgresql/base-backup/walk.ts';

const LOCATION = { model: 'bench', app: 'tree' };
const FILES_PER_DIRECTORY = 10_000;
const PHASES = ['walk', 'full backup', 'unchanged backup'] as const;

interface Order {
  readonly phase: (typeof PHASES)[number];
  readonly tree: string;
  readonly store: string;
}

interface Figures {
  readonly entries: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

function makeTree(tree: string, files: number, bytes: number): void {
  for (let index = 0; index < files; index += 1) {
    const directory = join(tree, 'base', String(Math.floor(index / FILES_PER_DIRECTORY)));
    if (index % FILES_PER_DIRECTORY === 0) {
      mkdirSync(directory, { recursive: true });
    }
    writeFileSync(join(directory, String(index)), `${index} `.repeat(bytes).slice(0, bytes));
  }
}

async function* entriesOf(tree: string): AsyncIterable<SnapshotEntry> {
  const history = { systemIdentifier: 'bench', timeline: 1 };
  for await (const { kind, path, stat, statedAtMs } of walkDataDirectory(tree, Date.now)) {
    const mtimeMs = Number(stat.mtimeMs);
    const about = { path, mode: Number(stat.mode) & 0o7777, mtimeMs, owner: 'db', group: 'db' };
    if (kind === 'directory') {
      yield { kind, ...about };
      continue;
    }
    const fingerprint = fingerprintOf(stat, statedAtMs, history);
    yield {
      kind,
      ...about,
      size: Number(stat.size),
      file: { path: join(tree, path), whenShort: 'fail', whenGone: 'fail' },
      ...(fingerprint === undefined ? {} : { fingerprint }),
      open: () => {
        throw new Error('files are read in place');
      },
    };
  }
}

async function perform({ phase, tree, store }: Order): Promise<number> {
  if (phase === 'walk') {
    let entries = 0;
    for await (const _ of entriesOf(tree)) {
      entries += 1;
    }
    return entries;
  }
  const summary = await writeSnapshot({
    store: createDirectoryObjectStore(store),
    artefactPath: artefactPathFor({
      ...LOCATION,
      jobId: phase.replace(' ', '-'),
      time: new Date(),
    }),
    chunkPrefix: chunkPrefixFor(LOCATION),
    entries: entriesOf(tree),
    compression: true,
    attributes: {},
  });
  return summary.files;
}

async function measure(order: Order): Promise<void> {
  const start = performance.now();
  const entries = await perform(order);
  const seconds = (performance.now() - start) / 1000;
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  process.send?.({ entries, seconds, cpuSeconds, peakMiB: maxRSS / 1024 } satisfies Figures);
  process.disconnect();
}

async function inChild(order: Order): Promise<Figures> {
  const child: ChildProcess = fork(import.meta.filename, [], {
    // As the worker of the charm runs.
    execArgv: ['--max-semi-space-size=2'],
    env: { ...process.env, MALLOC_ARENA_MAX: '2', BENCH_WALK: JSON.stringify(order) },
  });
  const [figures] = (await once(child, 'message')) as [Figures];
  return figures;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      files: { type: 'string', default: '1000000' },
      bytes: { type: 'string', default: '200' },
      directory: { type: 'string', default: tmpdir() },
    },
  });
  const directory = await mkdtemp(join(values.directory, 'bench-walk-'));
  try {
    const tree = join(directory, 'tree');
    makeTree(tree, Number(values.files), Number(values.bytes));
    const store = join(directory, 'store');
    for (const phase of PHASES) {
      // One after the other: each is measured alone.
      // oxlint-disable-next-line no-await-in-loop
      const { entries, seconds, cpuSeconds, peakMiB } = await inChild({ phase, tree, store });
      const rate = `${Math.round(entries / seconds)} a second`;
      process.stdout.write(
        `${phase.padEnd(16)}  ${seconds.toFixed(1)} s  cpu ${cpuSeconds.toFixed(1)} s  ${rate}  peak ${peakMiB.toFixed(0)} MiB\n`,
      );
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const order = process.env['BENCH_WALK'];
await (order === undefined ? main() : measure(JSON.parse(order) as Order));
