/**
 * One charm, twice: the example charm of lib/ops packed as charms are, and its twin in Python ops. Measures
 * what a dispatch of each costs over the same fake hook tools, in one run, taking turns: wall time (median),
 * processor time of it and its hook tools (mean), and the hook tools called. A third row, the floor, is what no
 * SDK on Node can undercut: a script without SDK and charm that makes the calls ours made. Prints a table and
 * writes bench/results/dispatch.json.
 *
 *   node bench/dispatch.ts [--runs 25] [--python python3] [--ops ops==3.9.0]
 *
 * Where Python or the package index is missing it says so and measures ours only.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeError, runProcess } from '#system';
import { packCharm, projectRoot } from '#tooling';

const FIXTURES = join(projectRoot, 'test', 'fixtures', 'ops');
const RESULTS = join(projectRoot, 'bench', 'results');

// Real hook tools take longer (a Go program that asks the unit agent); these only show what the SDKs add.
const HOOK_TOOL = `#!/bin/sh
tool=\${0##*/}
echo "$tool $*" >> "$FAKE_CALLS"
case "$tool $*" in
  is-leader*) echo true ;;
  config-get*) echo '{"greeting":"Hello"}' ;;
  relation-ids*) echo '["guests:7"]' ;;
  relation-list*--app*) echo '"world"' ;;
  relation-list*) echo '["world/0"]' ;;
  relation-get*greeter/0*) echo '{"egress-subnets":"10.0.0.1/32"}' ;;
  relation-get*) echo '{"egress-subnets":"10.0.0.2/32"}' ;;
  state-get*) echo '{}' ;;
esac
`;
const TOOLS = [
  'config-get',
  'is-leader',
  'juju-log',
  'relation-get',
  'relation-ids',
  'relation-list',
  'relation-set',
  'state-delete',
  'state-get',
  'state-set',
  'status-get',
  'status-set',
];

const EVENTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'update-status': { JUJU_DISPATCH_PATH: 'hooks/update-status' },
  'relation-changed': {
    JUJU_DISPATCH_PATH: 'hooks/guests-relation-changed',
    JUJU_RELATION: 'guests',
    JUJU_RELATION_ID: 'guests:7',
    JUJU_REMOTE_APP: 'world',
    JUJU_REMOTE_UNIT: 'world/0',
  },
};

interface Sdk {
  readonly name: string;
  /** Unpacked charm with an executable `dispatch`. */
  readonly charmDir: string;
}

interface Figures {
  readonly sdk: string;
  readonly event: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly cpuMs: number;
  readonly calls: readonly string[];
}

interface Options {
  readonly runs: number;
  readonly python: string;
  readonly ops: string;
}

async function makeHookTools(scratch: string): Promise<void> {
  await mkdir(join(scratch, 'tools'));
  await writeFile(join(scratch, 'hook-tool'), HOOK_TOOL, { mode: 0o755 });
  for (const tool of TOOLS) {
    await symlink(join(scratch, 'hook-tool'), join(scratch, 'tools', tool));
  }
}

async function packOurs(scratch: string): Promise<Sdk> {
  const source = join(FIXTURES, 'example-charm');
  const { directory } = await packCharm('greeter', { source, outputDirectory: scratch });
  return { name: 'ours', charmDir: directory };
}

/** A charm as charmcraft lays it out, with a venv made here; undefined when that cannot be done. */
async function packTwin(scratch: string, options: Options, ours: Sdk): Promise<Sdk | undefined> {
  const charmDir = join(scratch, 'python');
  const python = join(charmDir, 'venv', 'bin', 'python');
  try {
    await runProcess(options.python, ['-m', 'venv', join(charmDir, 'venv')], {
      timeoutMs: 120_000,
    });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', options.ops];
    await runProcess(python, install, { timeoutMs: 300_000, env: plainEnvironment() });
  } catch (error) {
    process.stdout.write(`Python ops is not measured: ${describeError(error)}\n`);
    return undefined;
  }
  for (const file of ['metadata.yaml', 'config.yaml', 'actions.yaml']) {
    await cp(join(ours.charmDir, file), join(charmDir, file));
  }
  await mkdir(join(charmDir, 'src'));
  await cp(join(FIXTURES, 'python-twin', 'charm.py'), join(charmDir, 'src', 'charm.py'));
  const script = `#!/bin/sh\ncharm=\${0%/*}\nexec "$charm/venv/bin/python" "$charm/src/charm.py"\n`;
  await writeFile(join(charmDir, 'dispatch'), script, { mode: 0o755 });
  return { name: await opsVersion(python), charmDir };
}

/** Node and nothing else, making the calls that ours makes. */
async function makeFloor(scratch: string, ours: Sdk): Promise<Sdk> {
  const charmDir = join(scratch, 'floor');
  await mkdir(charmDir);
  const calls: Record<string, readonly string[][]> = {};
  for (const [event, variables] of Object.entries(EVENTS)) {
    await writeFile(join(scratch, 'calls'), '');
    dispatch(scratch, ours, event);
    calls[variables['JUJU_DISPATCH_PATH'] ?? ''] = (await readCalls(scratch)).map((call) =>
      call.split(' '),
    );
  }
  const script = `
    const { spawnSync } = require('node:child_process');
    const calls = ${JSON.stringify(calls)};
    for (const [tool, ...args] of calls[process.env.JUJU_DISPATCH_PATH]) {
      spawnSync(tool, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    }
    process.exit(0);
  `;
  await writeFile(join(charmDir, 'floor.cjs'), script);
  const node = join(ours.charmDir, 'bin', 'node');
  await writeFile(
    join(charmDir, 'dispatch'),
    `#!/bin/sh\nexec "${node}" "${join(charmDir, 'floor.cjs')}"\n`,
    { mode: 0o755 },
  );
  return { name: 'floor', charmDir };
}

async function opsVersion(python: string): Promise<string> {
  const { stdout } = await runProcess(python, ['-c', 'import ops; print(ops.__version__)']);
  return `Python ops ${stdout.trim()}`;
}

function plainEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

/** Milliseconds from start to exit. */
function dispatch(scratch: string, sdk: Sdk, event: string): number {
  const env = {
    PATH: `${join(scratch, 'tools')}:/usr/bin:/bin`,
    FAKE_CALLS: join(scratch, 'calls'),
    JUJU_CHARM_DIR: sdk.charmDir,
    JUJU_UNIT_NAME: 'greeter/0',
    JUJU_MODEL_NAME: 'bench',
    JUJU_MODEL_UUID: '7b1d4e0c-0f1c-4a53-8a2f-0d3a9f5f2b10',
    JUJU_VERSION: '3.6.28',
    ...EVENTS[event],
  };
  const start = performance.now();
  const { status, stderr } = spawnSync(join(sdk.charmDir, 'dispatch'), {
    cwd: sdk.charmDir,
    timeout: 30_000,
    encoding: 'utf8',
    env,
  });
  const elapsed = performance.now() - start;
  if (status !== 0) {
    throw new Error(`${sdk.name} failed on ${event}: exit code ${status}\n${stderr}`);
  }
  return elapsed;
}

async function measure(scratch: string, sdks: readonly Sdk[], runs: number): Promise<Figures[]> {
  const cases = Object.keys(EVENTS).flatMap((event) =>
    sdks.map((sdk) => ({
      sdk,
      event,
      times: Array.of<number>(),
      cpuMs: 0,
      calls: Array.of<string>(),
    })),
  );
  // The first round only warms up: compiled code, page cache, the twin's database.
  for (let round = 0; round <= runs; round += 1) {
    for (const one of cases) {
      await writeFile(join(scratch, 'calls'), '');
      const before = cpuMsOfChildren();
      const elapsed = dispatch(scratch, one.sdk, one.event);
      if (round > 0) {
        one.times.push(elapsed);
        one.cpuMs += cpuMsOfChildren() - before;
      }
      one.calls = await readCalls(scratch);
    }
  }
  return cases.map(({ sdk, event, times, cpuMs, calls }) => {
    const sorted = times.toSorted((a, b) => a - b);
    return {
      sdk: sdk.name,
      event,
      medianMs: rounded(sorted[Math.floor(sorted.length / 2)] ?? 0),
      minMs: rounded(sorted[0] ?? 0),
      maxMs: rounded(sorted.at(-1) ?? 0),
      cpuMs: rounded(cpuMs / runs),
      calls,
    };
  });
}

/**
 * User and system time of all processes ended so far, with their children. The kernel counts exactly and
 * shows ticks of 10 ms: only the sum over many runs means anything.
 */
function cpuMsOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[13]) + Number(fields[14])) * 10;
}

async function readCalls(scratch: string): Promise<string[]> {
  return (await readFile(join(scratch, 'calls'), 'utf8')).split('\n').filter(isToolCall);
}

/** Later lines of an argument with newlines, such as a traceback, are no calls. */
function isToolCall(line: string): boolean {
  return TOOLS.includes(line.split(' ')[0] ?? '');
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function table(figures: readonly Figures[]): string {
  const lines = [
    '| event | SDK | wall ms: median (min–max) | ratio | CPU ms | ratio | hook tools | which |',
    '|---|---|---|---|---|---|---|---|',
  ];
  for (const one of figures) {
    const theirs = figures.find((other) => other.event === one.event && isTwin(other));
    const ratio = (read: (figures: Figures) => number): string =>
      theirs === undefined || theirs === one ? '–' : (read(one) / read(theirs)).toFixed(2);
    const names = one.calls.map((call) => call.split(' ')[0]).join(', ');
    const wall = `${one.medianMs} (${one.minMs}–${one.maxMs}) | ${ratio(({ medianMs }) => medianMs)}`;
    const cpu = `${one.cpuMs} | ${ratio(({ cpuMs }) => cpuMs)}`;
    lines.push(`| ${one.event} | ${one.sdk} | ${wall} | ${cpu} | ${one.calls.length} | ${names} |`);
  }
  return `${lines.join('\n')}\n`;
}

function isTwin({ sdk }: Figures): boolean {
  return sdk !== 'ours' && sdk !== 'floor';
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '25' },
    python: { type: 'string', default: 'python3' },
    ops: { type: 'string', default: 'ops==3.9.0' },
  },
});
const options: Options = { ...values, runs: Number(values.runs) };
const scratch = await mkdtemp(join(tmpdir(), 'bench-dispatch-'));
try {
  await makeHookTools(scratch);
  const ours = await packOurs(scratch);
  const twin = await packTwin(scratch, options, ours);
  const floor = await makeFloor(scratch, ours);
  const sdks = twin === undefined ? [ours, floor] : [twin, ours, floor];
  const figures = await measure(scratch, sdks, options.runs);
  process.stdout.write(table(figures));
  await mkdir(RESULTS, { recursive: true });
  const machine = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version };
  const report = { measuredAt: new Date().toISOString(), ...machine, runs: options.runs, figures };
  await writeFile(join(RESULTS, 'dispatch.json'), `${JSON.stringify(report, null, 2)}\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
