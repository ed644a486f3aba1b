/**
 * What a dispatch of each charm costs with a long history: 200 relations and 0, 1,000 and 10,000 finished jobs that
 * are all still asked for, the worst a requirer can do. Each row is a process of its own: processor time and peak
 * memory of it, Node included, bundled and started as packed charms are. Juju and the hook tools are left out; what is
 * read from disk (the journal) is read. Prints a table and writes bench/results/reconcile.json.
 *
 *   node bench/reconcile.ts [--jobs 0,1000,10000] [--relations 200] [--limit MIB]
 *
 * Fails where a row takes more than the limit (150 MiB), or where ten times the jobs cost more than twelve times the
 * processor time beyond that of none.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleProgram, projectRoot } from '#tooling';
import { NODE_FLAGS } from '../lib/tooling/pack-charm.ts';
import type { Figures, Scale } from './reconcile-dispatch.ts';

const RESULTS = join(projectRoot, 'bench', 'results');
const PROGRAM = join(RESULTS, 'reconcile-dispatch.cjs');

/** Of a dispatch, in multiples of the growth in jobs. */
const LINEAR = 1.2;

function inChild(mode: string, scale: Scale): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...NODE_FLAGS, PROGRAM, mode, JSON.stringify(scale)],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
      env: { ...process.env, NODE_COMPILE_CACHE: join(RESULTS, '.compile-cache') },
    },
  );
  if (status !== 0) {
    throw new Error(`${mode} failed: ${stderr}`);
  }
  return stdout;
}

async function measureAll(counts: readonly number[], relations: number): Promise<Figures[]> {
  const rows: Figures[] = [];
  for (const jobs of counts) {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'bench-reconcile-'));
    try {
      const scale = { jobs, relations, stateDirectory };
      inChild('prepare', scale);
      for (const charm of ['database', 'manager']) {
        // The first fills the compile cache, as the first dispatch after a deployment does.
        inChild(charm, scale);
        rows.push(JSON.parse(inChild(charm, scale)) as Figures);
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
    const growth = (many.cpuMs - none.cpuMs) / Math.max(1, some.cpuMs - none.cpuMs);
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
const rows = await measureAll(values.jobs.split(',').map(Number), Number(values.relations));
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
