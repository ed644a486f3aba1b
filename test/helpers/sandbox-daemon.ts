/** A sandbox daemon of its own for a test, spoken to by the typed calls instead of the command. */
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CallName,
  type Calls,
  callDaemon,
  killController,
  type LogLine,
  type SandboxStatus,
  startDaemon,
  streamFromDaemon,
  type TaskInfo,
} from '#sandbox';
import { systemClock } from '#system';
import { projectRoot } from '#tooling';

const WITNESS = join(projectRoot, 'test', 'fixtures', 'charms', 'witness');

// Only what hangs for good comes to it.
const PATIENCE_MS = 50_000;

/** Shell scripts the witness charm runs, by event (`install`, `serves-relation-joined`, `act`). */
export type Scripts = Readonly<Record<string, string>>;

export class SandboxDaemon {
  readonly root: string;
  readonly #scratch: string;
  #isGone = false;

  private constructor(scratch: string, root = join(scratch, 'data')) {
    this.#scratch = scratch;
    this.root = root;
  }

  /** @param folder where its files lie: the one for temporary files unless told */
  static async start(
    options: Parameters<typeof startDaemon>[1] = {},
    folder = tmpdir(),
  ): Promise<SandboxDaemon> {
    const sandbox = new SandboxDaemon(await mkdtemp(join(folder, 'juju-core-')));
    await startDaemon(sandbox.root, options);
    return sandbox;
  }

  /** Another model of the same sandbox; to be destroyed before this one. */
  async addModel(name: string): Promise<SandboxDaemon> {
    const scratch = await mkdtemp(join(tmpdir(), 'juju-core-'));
    const model = new SandboxDaemon(scratch, join(this.root, 'models', name));
    await startDaemon(model.root, { modelName: name });
    return model;
  }

  /** What `juju consume` does; answers the name of the consumed application. */
  async consume(offering: SandboxDaemon, offer: string, alias?: string): Promise<string> {
    const found = (await offering.call('offers', {})).find(({ name }) => name === offer);
    if (found === undefined) {
      throw new Error(`there is no offer ${offer}`);
    }
    const { modelName, modelUuid } = await offering.call('ping', {});
    const { name } = await this.call('consume', {
      offer: found,
      model: { uuid: modelUuid, name: modelName },
      ...(alias === undefined ? {} : { alias }),
    });
    return name;
  }

  async call<N extends CallName>(name: N, params: Calls[N]['params']): Promise<Calls[N]['result']> {
    return await callDaemon(this.root, name, params);
  }

  /** Deploys the witness charm with scripts of the test, and with files replaced or added. */
  async deploy(
    application: string,
    options: {
      readonly scripts?: Scripts;
      readonly units?: number;
      readonly config?: Readonly<Record<string, string | number | boolean>>;
      readonly files?: Readonly<Record<string, string>>;
      readonly resources?: Readonly<Record<string, string>>;
      readonly trust?: boolean;
      readonly storage?: NonNullable<Calls['deploy']['params']['storage']>;
    } = {},
  ): Promise<void> {
    const directory = join(this.#scratch, `charm-${application}`);
    await cp(WITNESS, directory, { recursive: true });
    await mkdir(join(directory, 'scripts'), { recursive: true });
    for (const [event, script] of Object.entries(options.scripts ?? {})) {
      await writeFile(join(directory, 'scripts', event), script);
    }
    for (const [name, content] of Object.entries(options.files ?? {})) {
      await writeFile(join(directory, name), content);
    }
    const { scripts: _scripts, files: _files, ...rest } = options;
    await this.call('deploy', { path: directory, application, ...rest });
  }

  /** Replaces the script of a running unit. */
  async setScript(unit: string, event: string, script: string): Promise<void> {
    const directory = join(this.charmDirectory(unit), 'scripts');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, event), script);
  }

  charmDirectory(unit: string): string {
    return join(this.root, 'agents', `unit-${unit.replace('/', '-')}`, 'charm');
  }

  async status(): Promise<SandboxStatus> {
    return await this.call('status', {});
  }

  async unit(name: string) {
    const { applications } = await this.status();
    return applications
      .flatMap(({ units }) => units)
      .flatMap((unit) => [unit, ...unit.subordinates])
      .find((unit) => unit.name === name);
  }

  /** Waits until every agent has nothing to do, now or when a failed hook is tried again. */
  async settle(): Promise<SandboxStatus> {
    return await this.waitFor('all units to be idle', async () => {
      const status = await this.status();
      const units = status.applications
        .flatMap((application) => application.units)
        .flatMap((unit) => [unit, ...unit.subordinates]);
      const isIdle = units.every(({ agent }) => agent.current === 'idle');
      const failed = units.some(({ workload }) => workload.current === 'error');
      return isIdle && !(failed && (await this.#retriesHooks())) ? status : undefined;
    });
  }

  async #retriesHooks(): Promise<boolean> {
    const config = await this.call('model-config', {});
    return config['automatically-retry-hooks']?.value !== false;
  }

  async waitFor<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== undefined && found !== false) {
        return found;
      }
      await systemClock.sleep(20);
    }
    const log = (await this.log()).map(
      ({ entity, module, message }) => `${entity} ${module} ${message}`,
    );
    throw new Error(`waited in vain for ${what}\n${log.slice(-40).join('\n')}`);
  }

  async log(): Promise<readonly LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of streamFromDaemon(this.root, 'debug-log', { replay: true })) {
      lines.push(line);
    }
    return lines;
  }

  /** What the witness charm of a unit has seen, oldest first: `install`, `serves-relation-joined unit=b/0`. */
  async events(unit: string): Promise<readonly string[]> {
    const entity = `unit-${unit.replace('/', '-')}`;
    return (await this.log())
      .filter((line) => line.entity === entity && line.message.includes('event '))
      .map(({ message }) =>
        message
          .slice(message.indexOf('event ') + 'event '.length)
          .split(' ')
          .filter((word) => !word.endsWith('=') && !word.startsWith('relation='))
          .join(' '),
      );
  }

  /** Runs an action and waits for its end. */
  async run(
    unit: string,
    action: string,
    params: Calls['run']['params']['params'] = {},
  ): Promise<TaskInfo> {
    const { tasks } = await this.call('run', { targets: [unit], action, params });
    return await this.call('task', { id: tasks[0]?.id ?? '', waitMs: PATIENCE_MS });
  }

  /** Runs commands in a unit's context; answers their output. */
  async exec(
    unit: string,
    command: string,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const { tasks } = await this.call('exec', { units: [unit], command });
    const { results } = await this.call('task', { id: tasks[0]?.id ?? '', waitMs: PATIENCE_MS });
    return {
      code: Number(results['return-code']),
      stdout: textOf(results['stdout']),
      stderr: textOf(results['stderr']),
    };
  }

  async daemonPid(): Promise<number> {
    return Number((await readFile(join(this.root, 'daemon.pid'), 'utf8')).trim());
  }

  /** kill -9 of the daemon as soon as `instant` resolves; until the process is gone. */
  async killDaemon(instant: () => Promise<void> = async () => Promise.resolve()): Promise<void> {
    const pid = await this.daemonPid();
    await instant();
    process.kill(pid, 'SIGKILL');
    await this.waitFor('the daemon to be dead', async () => {
      try {
        process.kill(pid, 0);
        return /^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return true;
      }
    });
  }

  async restartDaemon(): Promise<void> {
    await startDaemon(this.root);
  }

  async killController(): Promise<void> {
    this.#isGone = true;
    await killController(this.root, { timeoutMs: 10_000 });
  }

  async destroy(): Promise<void> {
    if (!this.#isGone && existsSync(this.root)) {
      await this.killController();
    }
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
