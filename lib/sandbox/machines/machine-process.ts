/**
 * One machine in namespaces of its own: started by `start-machine.sh`, which stays as its first
 * process and outlives the daemon; entered by nsenter(1).
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Clock,
  HintError,
  identifyProcess,
  minimalEnvironment,
  type ProcessIdentity,
  runProcess,
} from '#system';
import { endProcesses, killProcess } from '../client/sweep-processes.ts';
import { type MachineFiles, machineDirectory } from './machine-files.ts';

const SCRIPT = fileURLToPath(new URL('start-machine.sh', import.meta.url));
const NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--'] as const;
// Changes the directory once inside; nsenter learnt that only lately.
const ENV = '/usr/bin/env';
const POLL_MS = 10;
// More than any limit of the hook tools.
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Where the files that a machine changes are kept. */
export type Layers = 'disk' | 'memory';

export interface MachineRequest {
  /** The sandbox's directory, without symbolic links. */
  readonly root: string;
  readonly id: string;
  readonly hostname: string;
  readonly layers: Layers;
  /** File systems besides `/`, outermost first. */
  readonly mounts: readonly string[];
  /** Files of /etc of a new machine, by name. */
  readonly etc: Readonly<Record<string, string>>;
}

/** Makes the directory of a machine, unless it is there. */
export function createMachineFiles({ root, id, etc }: Omit<MachineRequest, 'layers'>): void {
  const directory = machineDirectory(root, id);
  if (existsSync(directory)) {
    return;
  }
  const temporary = `${directory}.new`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(join(temporary, 'etc'), { recursive: true, mode: 0o711 });
  for (const [name, content] of Object.entries(etc)) {
    writeFileSync(join(temporary, 'etc', name), content);
  }
  renameSync(temporary, directory);
}

/**
 * Starts a machine; its files are those it had when it ran before.
 * @throws HintError `machine-not-started` with what the host said
 */
export async function startMachine(request: MachineRequest): Promise<ProcessIdentity> {
  const directory = machineDirectory(request.root, request.id);
  createMachineFiles(request);
  rmSync(join(directory, 'init.stat'), { force: true });
  const { stdout, stderr } = await runProcess(
    'unshare',
    [...NAMESPACES, 'sh', SCRIPT, request.root, request.id, request.hostname].concat(
      request.layers,
      request.mounts,
    ),
    { env: { ...minimalEnvironment(), JUJU_SANDBOX_MACHINE: directory }, cwd: '/' },
  );
  const init = findInit(request.root, request.id);
  if (!stdout.includes('ready') || init === undefined) {
    throw new HintError(
      `cannot start machine ${request.id}: ${stderr.trim().split('\n', 1)[0] ?? ''}`,
      { code: 'machine-not-started', hint: 'its namespaces or its file system were refused' },
    );
  }
  return init;
}

/** The first process of a machine, if it runs. */
export function findInit(root: string, id: string): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(join(machineDirectory(root, id), 'init.stat'), 'utf8');
  } catch {
    return undefined;
  }
  const pid = Number(stat.split(' ', 1)[0]);
  const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  const now = identifyProcess(pid);
  // After a boot of the host the same number and ticks may be another process's.
  const isSame = now !== undefined && now.startTicks === startTicks;
  return isSame && isInitOf(now, machineDirectory(root, id)) ? now : undefined;
}

function isInitOf({ pid }: ProcessIdentity, directory: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .includes(`JUJU_SANDBOX_MACHINE=${directory}`);
  } catch {
    return false;
  }
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** The command to spawn on this host, so that `command` runs on the machine of `init`. */
export function enterMachine(init: ProcessIdentity, { file, args, cwd }: Command): Command {
  return {
    file: '/usr/bin/nsenter',
    args: ['--target', String(init.pid), ...NAMESPACES, ENV, '-C', cwd, '--', file, ...args],
    cwd: '/',
  };
}

/** Ends all processes of a machine, politely first; its namespaces, mounts and network go with them. */
export async function endMachine(root: string, id: string, clock: Clock): Promise<void> {
  const init = findInit(root, id);
  if (init === undefined) {
    return;
  }
  const namespace = pidNamespace(init.pid);
  await endProcesses(
    () =>
      processesIn(namespace)
        .filter((pid) => pid !== init.pid)
        .flatMap((pid) => identifyProcess(pid) ?? []),
    clock,
  );
  killProcess(init);
  while (identifyProcess(init.pid)?.startTicks === init.startTicks) {
    await clock.sleep(POLL_MS);
  }
}

function processesIn(namespace: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => namespace !== '' && pidNamespace(pid) === namespace);
}

function pidNamespace(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

/**
 * The files that the machine of `init` sees. Read by its own processes: a path can go through
 * symbolic links, which lead elsewhere on this host.
 */
export function filesOfMachine(init: ProcessIdentity): MachineFiles {
  return {
    read: (path) => runInside(init, ['/usr/bin/cat', '--', path], ''),
    write: (path, text) => {
      runInside(init, ['/bin/sh', '-c', 'cat > "$1"', 'sh', path], text);
    },
  };
}

/** Waits, as a hook tool's answer does; it takes some milliseconds. */
function runInside(
  init: ProcessIdentity,
  [file = '', ...args]: readonly string[],
  input: string,
): Buffer {
  const command = enterMachine(init, { file, args, cwd: '/' });
  const env = minimalEnvironment();
  const { status, stdout, stderr } = spawnSync(command.file, [...command.args], {
    env,
    input,
    maxBuffer: MAX_FILE_BYTES,
  });
  if (status !== 0) {
    const reason = String(stderr).trim().split('\n').at(-1) ?? '';
    throw new HintError(reason.replace(/^(?:cat|sh: \d+): (?:cannot create )?/, 'cannot open '), {
      code: 'machine-file',
    });
  }
  return stdout;
}
