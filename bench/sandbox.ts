/**
 * What the sandbox costs: the time from `juju bootstrap` to two related, settled charms; N peer units until
 * all have heard of each other; one hook tool; `juju status`. Prints tables and writes bench/results/sandbox.json.
 *
 *   node bench/sandbox.ts [--units 10,25,50] [--calls 200]
 *
 * The charm is an empty shell script, so that what is measured is the sandbox: process starts, the store, the planner.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { callDaemon, killController, startDaemon, streamFromDaemon } from '#sandbox';
import { runProcess, systemClock } from '#system';
import { projectRoot } from '#tooling';

const RESULTS = join(projectRoot, 'bench', 'results');
const JUJU = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');
const TICKS_A_SECOND = 100;

const METADATA = `name: tiny
provides: { gives: { interface: tiny } }
requires: { takes: { interface: tiny } }
`;
const ACTIONS = 'probe: { description: Times a hook tool }\n';
// $EPOCHREALTIME is a variable of bash, so that taking the time starts no process.
const PROBE = `#!/bin/bash
for n in $(seq "$(cat calls)"); do
    begin=$EPOCHREALTIME
    relation-ids gives > /dev/null
    end=$EPOCHREALTIME
    echo $(( \${end/./} - \${begin/./} ))
done
`;

interface Report {
  readonly pairMs: number;
  readonly peers: readonly PeerFigures[];
  readonly hookToolMs: number;
  readonly statusCommandMs: number;
  readonly statusCallMs: number;
}

interface PeerFigures {
  readonly units: number;
  readonly wallMs: number;
  readonly hooks: number;
  readonly msPerHook: number;
  readonly daemonCpuMsPerHook: number;
}

async function writeCharm(folder: string, metadata: string, calls: number): Promise<string> {
  await mkdir(join(folder, 'actions'), { recursive: true });
  const script = '#!/bin/sh\n[ "$JUJU_DISPATCH_PATH" != actions/probe ] || exec actions/probe\n';
  await writeFile(join(folder, 'metadata.yaml'), metadata);
  await writeFile(join(folder, 'actions.yaml'), ACTIONS);
  await writeFile(join(folder, 'calls'), String(calls));
  await writeFile(join(folder, 'dispatch'), script, { mode: 0o755 });
  await writeFile(join(folder, 'actions', 'probe'), PROBE, { mode: 0o755 });
  return folder;
}

/** Until every unit is idle and has run the hooks it owes. */
async function settle(root: string, isComplete: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const { applications } = await callDaemon(root, 'status', {});
    const units = applications.flatMap((application) => application.units);
    if (units.every(({ agent }) => agent.current === 'idle') && (await isComplete())) {
      return;
    }
    await systemClock.sleep(50);
  }
}

async function countHooks(root: string): Promise<number> {
  let hooks = 0;
  for await (const { module, message } of streamFromDaemon(root, 'debug-log', { replay: true })) {
    hooks += Number(module === 'juju.worker.uniter.operation' && message.startsWith('ran "'));
  }
  return hooks;
}

/** As a person does it: with commands. */
async function measurePair(scratch: string): Promise<number> {
  const root = join(scratch, 'pair');
  const charm = await writeCharm(join(scratch, 'charm-pair'), METADATA, 1);
  const env = { ...process.env, JUJU_DATA: root } as Record<string, string>;
  const juju = async (...args: readonly string[]) =>
    runProcess(process.execPath, [JUJU, ...args], { env, timeoutMs: 60_000 });
  const begin = performance.now();
  await juju('bootstrap');
  await juju('deploy', charm, 'one');
  await juju('deploy', charm, 'two');
  await juju('integrate', 'one:gives', 'two:takes');
  // install, created, leader-elected, config-changed, start, joined, changed on either side.
  await settle(root, async () => (await countHooks(root)) >= 14);
  const elapsed = performance.now() - begin;
  await killController(root);
  return elapsed;
}

async function measurePeers(scratch: string, units: number): Promise<PeerFigures> {
  const root = join(scratch, `peers-${units}`);
  const metadata = `${METADATA}peers: { mates: { interface: tiny } }\n`;
  const charm = await writeCharm(join(scratch, `charm-${units}`), metadata, 1);
  await startDaemon(root);
  const { pid } = await callDaemon(root, 'ping', {});
  const cpuBefore = await cpuMs(pid);
  const begin = performance.now();
  await callDaemon(root, 'deploy', { path: charm, application: 'many', units });
  // Five of its own, and joined and changed for each of the others.
  const owed = units * (5 + 2 * (units - 1));
  await settle(root, async () => (await countHooks(root)) >= owed);
  const wallMs = performance.now() - begin;
  const cpu = (await cpuMs(pid)) - cpuBefore;
  const hooks = await countHooks(root);
  await killController(root, { timeoutMs: 1 });
  return {
    units,
    wallMs: Math.round(wallMs),
    hooks,
    msPerHook: rounded(wallMs / hooks),
    daemonCpuMsPerHook: rounded(cpu / hooks),
  };
}

/** User and system time of a process itself, without its children. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_A_SECOND;
}

async function measureCalls(
  scratch: string,
  calls: number,
): Promise<Pick<Report, 'hookToolMs' | 'statusCommandMs' | 'statusCallMs'>> {
  const root = join(scratch, 'calls');
  const charm = await writeCharm(join(scratch, 'charm-calls'), METADATA, calls);
  await startDaemon(root);
  await callDaemon(root, 'deploy', { path: charm, application: 'one' });
  await settle(root, async () => (await countHooks(root)) >= 4);
  const run = { targets: ['one/0'], action: 'probe', params: {} };
  const { tasks } = await callDaemon(root, 'run', run);
  const task = await callDaemon(root, 'task', { id: tasks[0]?.id ?? '', waitMs: 120_000 });
  const microseconds = textOf(task.results['stdout']).trim().split('\n').map(Number);
  const env = { ...process.env, JUJU_DATA: root } as Record<string, string>;
  const statusCommandMs = await medianMs(10, async () =>
    runProcess(process.execPath, [JUJU, 'status'], { env }),
  );
  const statusCallMs = await medianMs(50, async () => callDaemon(root, 'status', {}));
  await killController(root);
  return { hookToolMs: rounded(median(microseconds) / 1000), statusCommandMs, statusCallMs };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function medianMs(times: number, work: () => Promise<unknown>): Promise<number> {
  const elapsed: number[] = [];
  for (let count = 0; count < times; count += 1) {
    const begin = performance.now();
    await work();
    elapsed.push(performance.now() - begin);
  }
  return rounded(median(elapsed));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function table({ pairMs, peers, hookToolMs, statusCommandMs, statusCallMs }: Report): string {
  return [
    '| peer units | wall s | hooks | ms a hook | daemon CPU ms a hook |',
    '|---|---|---|---|---|',
    ...peers.map(
      (one) =>
        `| ${one.units} | ${(one.wallMs / 1000).toFixed(1)} | ${one.hooks} | ${one.msPerHook} | ${one.daemonCpuMsPerHook} |`,
    ),
    '',
    '| what | ms |',
    '|---|---|',
    `| bootstrap to a settled pair | ${Math.round(pairMs)} |`,
    `| hook tool call (median) | ${hookToolMs} |`,
    `| juju status, the command (median) | ${statusCommandMs} |`,
    `| status, the call alone (median) | ${statusCallMs} |`,
    '',
  ].join('\n');
}

const { values } = parseArgs({
  options: {
    units: { type: 'string', default: '10,25,50' },
    calls: { type: 'string', default: '200' },
  },
});
const scratch = await mkdtemp(join(tmpdir(), 'bench-sandbox-'));
try {
  const pairMs = Math.round(await measurePair(scratch));
  const calls = await measureCalls(scratch, Number(values.calls));
  const peers: PeerFigures[] = [];
  for (const units of values.units.split(',')) {
    peers.push(await measurePeers(scratch, Number(units)));
  }
  const report: Report = { pairMs, peers, ...calls };
  process.stdout.write(table(report));
  await mkdir(RESULTS, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const written = { measuredAt: new Date().toISOString(), ...machine, ...report };
  await writeFile(join(RESULTS, 'sandbox.json'), `${JSON.stringify(written, null, 2)}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
