/** Upkeep by processes on this machine. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { tellRates } from '#object-store';
import { HintError, isProcessAlive, spawnDetached } from '#system';
import { RecordFiles } from './record-files.ts';
import type { UpkeepAccess, UpkeepOrder, UpkeepPort, UpkeepRecord, UpkeepTask } from './upkeep.ts';

export interface UpkeepHome {
  readonly unitName: string;
  readonly modelUuid: string;
  readonly charmDir: string;
  /** Fired when a piece has ended. */
  readonly eventName: string;
}

/** Below this every unit has its directory; it survives upgrades of the charm. */
const STATE_ROOT = '/var/lib/backup-manager-charm';
/** Each holds some 200 MiB. */
const MAX_AT_ONCE = 2;
const STDIN_TIMEOUT_MS = 30_000;
const KEPT = ['PATH', 'JUJU_UNIT_NAME', 'JUJU_CHARM_DIR', 'JUJU_MODEL_NAME', 'JUJU_MODEL_UUID'];

export class LocalUpkeep implements UpkeepPort {
  readonly #home: UpkeepHome;
  readonly #files: RecordFiles;

  constructor(home: UpkeepHome, stateRoot = STATE_ROOT) {
    this.#home = home;
    this.#files = new RecordFiles(join(stateRoot, directoryName(home), 'upkeep'));
  }

  async start(task: UpkeepTask, access: UpkeepAccess, now: Date): Promise<UpkeepRecord> {
    const running = (await this.records(now)).filter(({ state }) => state === 'running');
    const same = running.find(
      ({ kind, subject }) => kind === task.kind && subject === task.subject,
    );
    if (same !== undefined || running.length >= MAX_AT_ONCE) {
      throw busy(running, same);
    }
    const record: UpkeepRecord = {
      id: `${task.kind}-${randomUUID()}`,
      kind: task.kind,
      subject: task.subject,
      state: 'running',
      startedAt: now.toISOString(),
    };
    await this.#files.prepare();
    await this.#files.write(record);
    try {
      const { config: storageConfig, passphrases } = access;
      await this.#spawn({ ...this.#home, id: record.id, task, storageConfig, passphrases });
    } catch (error) {
      await this.#files.remove([record]);
      throw error;
    }
    return record;
  }

  async limit(rate: number | undefined): Promise<void> {
    // Most never limit anything.
    if (rate !== undefined || existsSync(this.#ratesPath())) {
      await this.#files.prepare();
      await tellRates(this.#ratesPath(), rate === undefined ? {} : { network: rate });
    }
  }

  async records(now: Date): Promise<readonly UpkeepRecord[]> {
    return await this.#files.list(now);
  }

  cancel({ process: identity }: UpkeepRecord): void {
    if (identity !== undefined && isProcessAlive(identity)) {
      process.kill(identity.pid, 'SIGTERM');
    }
  }

  async forget(): Promise<number> {
    const ended = (await this.records(new Date())).filter(({ state }) => state !== 'running');
    await this.#files.remove(ended);
    return ended.length;
  }

  async remove(): Promise<void> {
    for (const record of await this.records(new Date())) {
      this.cancel(record);
    }
    await rm(join(this.#files.directory, '..'), { recursive: true, force: true });
  }

  #ratesPath(): string {
    return join(this.#files.directory, '..', 'rates.json');
  }

  async #spawn(order: Omit<UpkeepOrder, 'directory' | 'ratesPath'>): Promise<void> {
    const { directory } = this.#files;
    const [command = '', ...args] = workerCommand();
    await spawnDetached({
      command,
      args,
      env: environment(),
      cwd: directory,
      outputPath: join(directory, 'output.log'),
      stdin: JSON.stringify({
        ...order,
        directory,
        ratesPath: this.#ratesPath(),
      } satisfies UpkeepOrder),
      stdinTimeoutMs: STDIN_TIMEOUT_MS,
    });
  }
}

/** The worker's entry lies beside that of the charm: `worker.ts` in the source, `worker.js` where packed. */
function workerCommand(): readonly string[] {
  const isSource = extname(import.meta.filename) === '.ts';
  const name = isSource ? join('..', 'worker.ts') : 'worker.js';
  return [process.execPath, join(import.meta.dirname, name)];
}

// Without JUJU_CONTEXT_ID: it names a hook that will be over, and juju-exec refuses to run with it.
function environment(): Readonly<Record<string, string>> {
  const kept = KEPT.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries([
    ['LANG', 'C.UTF-8'],
    ...kept.filter((pair): pair is [string, string] => pair[1] !== undefined),
  ]);
}

/** Units of several models may share a machine, so the model is part of the name. */
function directoryName({ unitName, modelUuid }: UpkeepHome): string {
  const digest = createHash('sha256').update(`${modelUuid}/${unitName}`).digest('hex').slice(0, 8);
  return `${unitName.replaceAll('/', '-')}-${digest}`;
}

function busy(running: readonly UpkeepRecord[], same: UpkeepRecord | undefined): HintError {
  const what = (same === undefined ? running : [same])
    .map(({ kind, subject }) => `${kind} of ${subject}`)
    .join(' and ');
  return new HintError(
    `cannot begin now: ${what} still ${same || running.length === 1 ? 'runs' : 'run'}`,
    {
      code: 'busy',
      hint: 'see list-jobs; wait for its end, or end it with cancel-job',
    },
  );
}
