/** What running a command costs: wall time, processor time of its processes and of the whole machine, peak memory. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

export interface Cost {
  readonly wallMs: number;
  /** User and system time of the command and everything it waited for. */
  readonly clientCpuMs: number;
  /** Of all processes of the machine, the servers included. */
  readonly machineCpuMs: number;
  /** Resident memory of all its processes together, sampled. */
  readonly peakMiB: number;
}

export interface Command {
  /** A shell command line. */
  readonly script: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

const SAMPLE_MS = 100;
const TICK_MS = 10;

/** @throws Error with the end of its output when the command fails */
export async function measure({ script, env = {}, input = '' }: Command): Promise<Cost> {
  const before = await machineCpuMs();
  const started = performance.now();
  // bash's own timer counts all children it waited for, pipelines included.
  const timed = `TIMEFORMAT='@@ %U %S'; time { ${script}\n}`;
  const child = spawn('bash', ['-o', 'pipefail', '-ec', timed], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/root', ...env },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end(input);
  let output = '';
  child.stderr.on('data', (data: Buffer) => {
    output = `${output}${data.toString()}`.slice(-4000);
  });
  let peakMiB = 0;
  const sample = async (): Promise<void> => {
    peakMiB = Math.max(peakMiB, await treeMiB(child.pid ?? 0));
  };
  const sampler = setInterval(() => {
    void sample();
  }, SAMPLE_MS);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  const times = /@@ ([\d.]+) ([\d.]+)/.exec(output);
  if (code !== 0 || times === null) {
    throw new Error(`the command ended with ${code}: ${script}\n${output}`);
  }
  return {
    wallMs: performance.now() - started,
    clientCpuMs: (Number(times[1]) + Number(times[2])) * 1000,
    machineCpuMs: (await machineCpuMs()) - before,
    peakMiB: Math.round(peakMiB),
  };
}

async function machineCpuMs(): Promise<number> {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
    .split(/\s+/)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}

async function treeMiB(root: number): Promise<number> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const processes = await Promise.all(names.map(async (name) => await readStat(Number(name))));
  const members = new Set([root]);
  // Parents have been seen before their children, as ids grow, but for a wrap-around.
  for (const { pid, parent } of processes) {
    if (members.has(parent)) {
      members.add(pid);
    }
  }
  const pages = processes.filter(({ pid }) => members.has(pid)).map(({ rss }) => rss);
  return (pages.reduce((sum, rss) => sum + rss, 0) * 4096) / 1024 / 1024;
}

async function readStat(pid: number): Promise<{ pid: number; parent: number; rss: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(fields[1] ?? 0), rss: Number(fields[21] ?? 0) };
}
