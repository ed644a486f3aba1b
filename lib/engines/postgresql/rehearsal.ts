/**
 * Starts staged data on a server of their own that nobody else can reach, to prove that they start, and
 * to have recovery and checks done before the live data are touched: the exchange is the shorter for it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  formatDuration,
  HintError,
  minimalEnvironment,
  ProcessError,
  type RunProcess,
  systemClock,
} from '#system';
import type { Proof } from '../engine.ts';
import { asOwner } from './commands.ts';
import type { PostgresqlInstance } from './config.ts';
import { checkIntegrity, type IntegrityRule } from './integrity.ts';
import { findClusterProcesses } from './processes.ts';
import { clearRemains } from './remains.ts';

// Replaying the WAL of a backup may take long; there is no harm in waiting while it goes on.
const START_TIMEOUT_S = 3600;
const STOP_TIMEOUT_S = 600;
const POLL_MS = 50;

/**
 * Nothing of the rehearsal may reach anybody: no address, no archive, no subscription, no worker of
 * an extension. Small, because the live server has its memory already.
 */
const SECLUDED: Readonly<Record<string, string>> = {
  listen_addresses: '',
  external_pid_file: '',
  archive_mode: 'off',
  autovacuum: 'off',
  max_logical_replication_workers: '0',
  shared_preload_libraries: '',
  ssl: 'off',
  shared_buffers: '64MB',
  huge_pages: 'off',
  logging_collector: 'off',
  log_destination: 'stderr',
};

export interface RehearsalOptions {
  readonly staged: string;
  readonly signal: AbortSignal;
  readonly integrity: IntegrityRule;
  readonly onRunning: () => Promise<void>;
}

/**
 * @throws HintError `verification-failed` when the data do not start; see checkIntegrity
 */
export async function rehearse(
  live: PostgresqlInstance,
  run: RunProcess,
  options: RehearsalOptions,
): Promise<Proof> {
  const { staged, signal, integrity, onRunning } = options;
  const scratch = await makeScratch(live, run);
  const instance = { ...live, dataDirectory: staged, socketDirectory: scratch };
  try {
    const begun = performance.now();
    await start(instance, live, run, signal);
    const startMs = performance.now() - begun;
    await onRunning();
    signal.throwIfAborted();
    const findings = await checkIntegrity(instance, run, integrity, signal);
    const stopping = performance.now();
    await stop(instance, run);
    return {
      findings: [`the data start and recover (in ${formatDuration(startMs)})`, ...findings],
      // An exchange is a stop and a start, and has no recovery to do any more.
      expectedUnavailableMs: Math.round(startMs + performance.now() - stopping),
    };
  } finally {
    await endRehearsal(live, staged);
    await rm(join(staged, 'postmaster.opts'), { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Kills what runs on the staged data, whoever started it, and returns when nothing does any more. */
export async function endRehearsal(live: PostgresqlInstance, staged: string): Promise<void> {
  const instance = { ...live, dataDirectory: staged };
  for (;;) {
    const { servers, controllers } = await findClusterProcesses(instance);
    const found = [...controllers, ...servers];
    if (found.length === 0) {
      break;
    }
    found.forEach(kill);
    await systemClock.sleep(POLL_MS);
  }
  await clearRemains(instance, systemClock);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
  }
}

/** A directory only the owner of the cluster may enter: for the socket, its rules, the log. */
async function makeScratch(live: PostgresqlInstance, run: RunProcess): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'rehearsal-'));
  await writeFile(join(scratch, 'pg_hba.conf'), 'local all all peer\n');
  if (process.getuid?.() === 0) {
    await run('chown', ['-R', `${live.osUser}:`, scratch]);
  }
  return scratch;
}

async function start(
  instance: PostgresqlInstance,
  live: PostgresqlInstance,
  run: RunProcess,
  signal: AbortSignal,
): Promise<void> {
  const { dataDirectory, socketDirectory, version, cluster, port } = instance;
  const log = join(socketDirectory, 'log');
  const settings = {
    ...SECLUDED,
    config_file: join('/etc/postgresql', version, cluster, 'postgresql.conf'),
    hba_file: join(socketDirectory, 'pg_hba.conf'),
    data_directory: dataDirectory,
    unix_socket_directories: socketDirectory,
    port: String(port),
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${quote(value)}`);
  const timing = ['-w', '-t', String(START_TIMEOUT_S)];
  const args = ['start', '-D', dataDirectory, '-s', ...timing, '-l', log, '-o', options.join(' ')];
  const { command, args: words } = asOwner(live, 'pg_ctl', args);
  try {
    await run(command, words, { env: minimalEnvironment(), cwd: '/', signal, label: 'pg_ctl' });
  } catch (error) {
    signal.throwIfAborted();
    throw new HintError(
      `cannot use the staged data in ${dataDirectory}: they do not start: ${await reasonIn(log, error)}`,
      {
        code: 'verification-failed',
        hint: 'restore an older backup; the live data were not touched',
        cause: error,
      },
    );
  }
}

async function stop(instance: PostgresqlInstance, run: RunProcess): Promise<void> {
  const timing = ['-w', '-t', String(STOP_TIMEOUT_S)];
  const args = ['stop', '-D', instance.dataDirectory, '-s', '-m', 'fast', ...timing];
  const { command, args: words } = asOwner(instance, 'pg_ctl', args);
  await run(command, words, { env: minimalEnvironment(), cwd: '/', label: 'pg_ctl stop' });
}

/** pg_ctl hands its options to a shell. */
function quote(value: string): string {
  return `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

async function reasonIn(log: string, error: unknown): Promise<string> {
  const fallback = error instanceof ProcessError ? error.message : String(error);
  try {
    const lines = (await readFile(log, 'utf8')).split('\n');
    const line = lines.findLast((each) => /(FATAL|PANIC): /.test(each));
    return line?.replace(/^.*?((?:FATAL|PANIC): )/, '$1').trim() ?? fallback;
  } catch {
    return fallback;
  }
}
