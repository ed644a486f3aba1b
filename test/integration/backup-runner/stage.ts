/** A unit on a stage of its own: real hooks and workers as processes, Juju and the database as directories. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { JobRecord, JobSpec } from '#backup-runner';
import { createDirectoryObjectStore, type ObjectStore } from '#object-store';
import { artefactPathFor, chunkPrefixFor, listSnapshots } from '#snapshots';
import { identifyProcess, isProcessAlive, writeFileAtomic } from '#system';
import { killIfThere } from '../../helpers/processes.ts';
import { pause, until, untilSo } from './until.ts';

export const SECRET_KEY = 'canary-storage-secret-8c1f';
export const PASSWORD = 'canary-engine-password-77aa';

const fixtures = join(import.meta.dirname, '../../fixtures/backup-runner');
// One file each, as in a packed charm; they also start in a quarter of the time.
const programs = build({
  entryPoints: ['hook.ts', 'worker.ts'].map((name) => join(fixtures, name)),
  outdir: '/',
  outExtension: { '.js': '.mjs' },
  write: false,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire('/');",
  },
});

/** Between looks at all the processes of the machine. */
const LOOK_MS = 50;

const LOCATION = { model: 'test', app: 'db' };

export class Stage implements AsyncDisposable {
  readonly directory: string;
  readonly store: ObjectStore;
  maxConcurrentBackups = 2;
  /** How far the clock of hooks is ahead of ours. */
  aheadMs = 0;
  #wanted: JobSpec[] = [];
  #forget: string[] = [];

  static async create(): Promise<Stage> {
    const stage = new Stage(await mkdtemp(join(tmpdir(), 'backup-runner-')));
    for (const name of ['charm', 'control', 'live', 'bucket']) {
      await mkdir(stage.path(name));
    }
    for (const { path, contents } of (await programs).outputFiles) {
      await writeFile(stage.path(basename(path)), contents);
    }
    await writeFile(
      stage.path('charm/dispatch'),
      `#!/bin/sh\nexec '${process.execPath}' '${stage.path('hook.mjs')}'\n`,
      { mode: 0o755 },
    );
    await writeFile(stage.path('charm/ledger.json'), '[]');
    await stage.setLive({ one: 'first', two: 'second' });
    await writeFile(stage.path('live.serving'), '');
    return stage;
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.store = createDirectoryObjectStore(this.path('bucket'));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  get stateDirectory(): string {
    return this.path('state');
  }

  /** Asks for a job; the next hook sees it. */
  async want(
    jobType: 'backup' | 'restore',
    jobId: string,
    artefactPath?: string,
    more: Partial<JobSpec> = {},
  ): Promise<void> {
    const target = artefactPathFor({ ...LOCATION, jobId, time: new Date() });
    this.#wanted.push({
      jobId,
      jobType,
      compression: false,
      storageConfig: {
        bucket: this.path('bucket'),
        'access-key': 'canary-access-key-0000',
        'secret-key': SECRET_KEY,
      },
      artefactPath: artefactPath ?? target,
      chunkPrefix: chunkPrefixFor(LOCATION),
      attributes: { app: 'db' },
      ...more,
    });
    await this.#writeRequest();
  }

  async withdraw(jobId: string): Promise<void> {
    this.#wanted = this.#wanted.filter((spec) => spec.jobId !== jobId);
    await this.#writeRequest();
  }

  /** Asks to stop it, as somebody does who wants to read how it ends. */
  async cancel(jobId: string): Promise<void> {
    await this.#change(jobId, { isCancelled: true });
  }

  /** Limits a job that was asked for. */
  async limit(jobId: string, deadline: NonNullable<JobSpec['deadline']>): Promise<void> {
    await this.#change(jobId, { deadline });
  }

  /** From now on the store takes this key and no other. */
  async rotateKey(secretKey: string): Promise<void> {
    await writeFileAtomic(this.path('bucket.key'), secretKey);
  }

  /** The request holds other keys now. */
  async requestWithKey(jobId: string, secretKey: string): Promise<void> {
    const storageConfig = this.#wanted.find((spec) => spec.jobId === jobId)?.storageConfig;
    if (storageConfig !== undefined) {
      await this.#change(jobId, { storageConfig: { ...storageConfig, 'secret-key': secretKey } });
    }
  }

  async #change(jobId: string, fields: Partial<JobSpec>): Promise<void> {
    this.#wanted = this.#wanted.map((spec) =>
      spec.jobId === jobId ? { ...spec, ...fields } : spec,
    );
    await this.#writeRequest();
  }

  async forget(jobId: string): Promise<void> {
    this.#forget.push(jobId);
    await this.#writeRequest();
  }

  async #writeRequest(): Promise<void> {
    const request = {
      stateDirectory: this.stateDirectory,
      workerCommand: [process.execPath, this.path('worker.mjs')],
      maxConcurrentBackups: this.maxConcurrentBackups,
      aheadMs: this.aheadMs,
      engineConfig: {
        engine: 'fixture',
        live: this.path('live'),
        control: this.path('control'),
        password: PASSWORD,
      },
      wanted: this.#wanted,
      forget: this.#forget,
    };
    await writeFileAtomic(this.path('charm/request.json'), JSON.stringify(request));
  }

  /** Runs a hook as Juju does; `fails` makes it end with an error, so that nothing is committed. */
  async hook({ fails = false, alone = true } = {}): Promise<void> {
    await this.#writeRequest();
    const failure = this.path('charm/fail');
    if (fails) {
      await writeFile(failure, '');
    }
    const dispatch = this.path('charm/dispatch');
    const command = alone ? ['flock', this.path('charm/machine-lock'), dispatch] : [dispatch];
    const [program = '', ...args] = command;
    try {
      await promisify(execFile)(program, args, {
        env: {
          PATH: `${join(fixtures, 'bin')}:/usr/bin:/bin`,
          JUJU_UNIT_NAME: 'db/0',
          JUJU_CHARM_DIR: this.path('charm'),
          JUJU_CONTEXT_ID: 'db/0-update-status-1234',
          JUJU_CHARM_HTTP_PROXY: 'http://proxy:3128',
          UNRELATED: 'inherited',
        },
      });
    } catch (error) {
      if (!fails) {
        throw error;
      }
    } finally {
      await rm(failure, { force: true });
    }
  }

  /** Puts other programs in the place of ours, as a refresh of the charm does; those that run keep what they have. */
  async refresh(): Promise<void> {
    for (const { path, contents } of (await programs).outputFiles) {
      const name = this.path(basename(path));
      await writeFile(
        `${name}.new`,
        Buffer.concat([Buffer.from('// another version\n'), contents]),
      );
      await rm(name);
      await rename(`${name}.new`, name);
    }
  }

  /** As published by the last hook that succeeded. */
  job(jobId: string): JobRecord | undefined {
    const path = this.path('charm/report.json');
    if (!existsSync(path)) {
      return undefined;
    }
    const jobs = JSON.parse(readFileSync(path, 'utf8')) as JobRecord[];
    return jobs.find((job) => job.jobId === jobId);
  }

  /** Waits for what hooks publish, without starting any. */
  async published(jobId: string, ...states: JobRecord['state'][]): Promise<JobRecord> {
    return await until(`${jobId} is published as ${states.join(' or ')}`, () => {
      const job = this.job(jobId);
      return job !== undefined && states.includes(job.state) ? job : undefined;
    });
  }

  async ended(jobId: string): Promise<JobRecord> {
    return await this.published(jobId, 'success', 'error');
  }

  /** Has the engine stop at a point of its work. */
  async hold(point: string): Promise<void> {
    await writeFile(this.path(`control/hold-${point}`), '');
  }

  async release(point: string): Promise<void> {
    await rm(this.path(`control/hold-${point}`), { force: true });
  }

  /** The process that has come to the point. */
  async reached(point: string): Promise<number> {
    const path = this.path(`control/reached-${point}`);
    return await until(`a worker reaches ${point}`, () => {
      const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
      return pid > 0 ? pid : undefined;
    });
  }

  /** Kills without warning and waits for the death. */
  async kill(pid: number): Promise<void> {
    const identity = identifyProcess(pid);
    process.kill(pid, 'SIGKILL');
    await until(`process ${pid} dies`, () =>
      identity === undefined || !isProcessAlive(identity) ? true : undefined,
    );
  }

  async setLive(files: Record<string, string>): Promise<void> {
    await rm(this.path('live'), { recursive: true, force: true });
    await mkdir(this.path('live'));
    for (const [name, content] of Object.entries(files)) {
      await writeFile(this.path(`live/${name}`), content);
    }
  }

  async live(): Promise<Record<string, string>> {
    const names = await readdir(this.path('live'));
    const read = async (name: string): Promise<[string, string]> => [
      name,
      await readFile(this.path(`live/${name}`), 'utf8'),
    ];
    return Object.fromEntries(await Promise.all(names.toSorted().map(read)));
  }

  /** How often any job touched the database. */
  runs(): number {
    const path = this.path('control/runs');
    return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').length : 0;
  }

  /** While it is, workers cannot reach the charm. */
  async unreachable(isUnreachable: boolean): Promise<void> {
    const path = this.path('charm/unreachable');
    await (isUnreachable ? writeFile(path, '') : rm(path, { force: true }));
  }

  async setLedger(jobIds: readonly string[]): Promise<void> {
    await writeFileAtomic(this.path('charm/ledger.json'), JSON.stringify(jobIds));
  }

  /** Takes back what was to be forgotten. */
  async keep(): Promise<void> {
    this.#forget = [];
    await this.#writeRequest();
  }

  async recoveryFails(isFailing: boolean): Promise<void> {
    const path = this.path('control/recovery-fails');
    await (isFailing ? writeFile(path, '') : rm(path, { force: true }));
  }

  /** From now on engines throw where nobody catches. */
  async crash(): Promise<void> {
    await writeFile(this.path('control/crash'), '');
  }

  async overwrite(path: string, content: string): Promise<void> {
    await writeFile(path, content);
  }

  /** Directories and files. */
  async stateFiles(): Promise<string[]> {
    return await below(this.stateDirectory);
  }

  async bucketFiles(): Promise<string[]> {
    return await below(this.path('bucket'));
  }

  /** What lies beside the live data and belongs to them. */
  async besideLive(): Promise<string[]> {
    return (await readdir(this.directory)).filter((name) => name.startsWith('live.')).toSorted();
  }

  async losePack(): Promise<void> {
    await rm(await this.#pack());
  }

  /** Turns one byte of the backup, which nobody sees who does not read it. */
  async corruptPack(): Promise<void> {
    const bytes = await readFile(await this.#pack());
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(await this.#pack(), bytes);
  }

  async #pack(): Promise<string> {
    const packs: string[] = [];
    for (const path of await this.bucketFiles()) {
      if (/\/(packs|chunks)\//.test(path) && (await stat(path)).isFile()) {
        packs.push(path);
      }
    }
    return packs[0] ?? '';
  }

  isServing(): boolean {
    return existsSync(this.path('live.serving'));
  }

  async completeArtefacts(): Promise<string[]> {
    const { snapshots } = await listSnapshots(this.store, 'test/db/');
    return snapshots.map(({ artefactPath }) => artefactPath);
  }

  /** Pids of processes of this stage. */
  async processes(): Promise<number[]> {
    return (await this.#running()).map(({ pid }) => pid);
  }

  async #running(): Promise<readonly { readonly pid: number; readonly commandLine: string }[]> {
    const found: { pid: number; commandLine: string }[] = [];
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const [commandLine, environment] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
      ]);
      if (commandLine !== '' && environment.includes(this.directory)) {
        found.push({ pid: Number(pid), commandLine });
      }
    }
    return found;
  }

  /** Ends what still runs: the test has seen what it wanted to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let pids = await this.processes(); pids.length > 0; pids = await this.processes()) {
      for (const pid of pids) {
        killIfThere(pid);
      }
      await pause(LOOK_MS);
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Waits until nothing of this stage runs that could still do something. */
  async quiet(): Promise<void> {
    const isQuiet = async () => (await this.#running()).every(isReaper);
    await untilSo('nothing of the stage runs', isQuiet, LOOK_MS);
  }
}

/** Of a job that was stopped: it sleeps for seconds, to kill a worker that hangs. */
function isReaper({ commandLine }: { readonly commandLine: string }): boolean {
  return commandLine.includes('kill -KILL') || /^sleep\0\d+/.test(commandLine);
}

async function below(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return [directory, ...names.map((name) => join(directory, name))];
}
