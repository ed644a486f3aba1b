/** A sandbox of its own for a test, driven through the real `juju` command as a user would. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type RunResult, runProcess, systemClock } from '#system';
import { projectRoot } from '#tooling';
import { runJuju } from '../../lib/sandbox/cli/main.ts';

const JUJU = join(projectRoot, 'lib', 'sandbox', 'bin', 'juju.mjs');

export interface UnitStatus {
  readonly 'workload-status': { readonly current: string; readonly message?: string };
  readonly 'juju-status': { readonly current: string; readonly message?: string };
  readonly leader?: boolean;
}

export interface SandboxStatus {
  readonly applications: Readonly<
    Record<
      string,
      {
        readonly 'application-status': { readonly current: string; readonly message?: string };
        readonly units?: Readonly<Record<string, UnitStatus>>;
      }
    >
  >;
}

export class JujuSandbox {
  readonly dataDirectory: string;
  readonly #scratch: string;

  private constructor(scratch: string) {
    this.#scratch = scratch;
    this.dataDirectory = join(scratch, 'juju');
  }

  static async bootstrap(): Promise<JujuSandbox> {
    const sandbox = new JujuSandbox(await mkdtemp(join(tmpdir(), 'juju-e2e-')));
    await sandbox.juju('bootstrap');
    return sandbox;
  }

  /** Runs a command that must succeed; answers its standard output. */
  async juju(...args: readonly string[]): Promise<string> {
    return (await this.tryJuju(args, [0])).stdout;
  }

  /** Runs a command whose exit code is part of the answer. */
  async tryJuju(
    args: readonly string[],
    accept: readonly number[] = [0, 1, 2],
  ): Promise<RunResult> {
    return await runProcess(process.execPath, [JUJU, ...args], {
      env: { ...stringEnvironment(), JUJU_DATA: this.dataDirectory },
      acceptExitCodes: accept,
      label: `juju ${args.join(' ')}`,
      timeoutMs: 300_000,
    });
  }

  /** Runs an action and answers how its task ended. */
  async run(
    unit: string,
    action: string,
    params: Readonly<Record<string, string>> = {},
  ): Promise<{ status: string; message: string; results: Readonly<Record<string, string>> }> {
    const args = Object.entries(params).map(([key, value]) => `${key}=${value}`);
    const { stdout } = await this.tryJuju(['run', unit, action, ...args, '--format', 'json']);
    const answer = Object.values(JSON.parse(stdout) as Record<string, TaskResult>)[0];
    return {
      status: answer?.status ?? 'none',
      message: answer?.message ?? '',
      results: answer?.results ?? {},
    };
  }

  /** The same command in this process: it is asked for again and again, and processes are dear. */
  async status(): Promise<SandboxStatus> {
    let [out, err] = ['', ''];
    const code = await runJuju(['status', '--format', 'json'], {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      readLine: async () => undefined,
      readInput: async () => '',
      env: { ...process.env, JUJU_DATA: this.dataDirectory },
      cwd: projectRoot,
      isTerminal: false,
      signal: new AbortController().signal,
    });
    if (code !== 0) {
      throw new Error(`juju status ended with ${code}: ${err}`);
    }
    return JSON.parse(out) as SandboxStatus;
  }

  async unit(name: string): Promise<UnitStatus | undefined> {
    const application = name.split('/')[0] ?? '';
    return (await this.status()).applications[application]?.units?.[name];
  }

  /** Waits until `look` answers something; the failure shows the status and the end of the log. */
  async waitFor<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    { timeoutMs = 180_000, everyMs = 250 } = {},
  ): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    while (performance.now() < deadline) {
      const found = await look();
      if (found !== undefined && found !== false) {
        return found;
      }
      await systemClock.sleep(everyMs);
    }
    throw new Error(`waited in vain for ${what}\n${await this.describe()}`);
  }

  /** Waits until all units of an application are idle with the given workload status. */
  async waitForApplication(application: string, workload = 'active'): Promise<void> {
    await this.waitFor(`${application} to be ${workload}`, async () => {
      const units = Object.values((await this.status()).applications[application]?.units ?? {});
      return (
        units.length > 0 &&
        units.every(
          (unit) =>
            unit['workload-status'].current === workload && unit['juju-status'].current === 'idle',
        )
      );
    });
  }

  async showUnit(name: string): Promise<unknown> {
    return parse(await this.juju('show-unit', name));
  }

  /** What a person would look at first when a test fails. */
  async describe(): Promise<string> {
    const status = await this.tryJuju(['status', '--relations']);
    const log = await this.tryJuju(['debug-log', '--no-tail', '-n', '60']);
    return `${status.stdout}${status.stderr}\n${log.stdout}`;
  }

  /** The pid of the daemon, to kill it. */
  async daemonPid(): Promise<number> {
    return Number((await readFile(join(this.dataDirectory, 'daemon.pid'), 'utf8')).trim());
  }

  /** Writes a private file for `key#file=…`, so that no secret stands in argv. */
  async privateFile(name: string, content: string): Promise<string> {
    const path = join(this.#scratch, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  async destroy(): Promise<void> {
    await this.tryJuju(['kill-controller', '--no-prompt']);
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

interface TaskResult {
  readonly status: string;
  readonly message?: string;
  readonly results?: Readonly<Record<string, string>>;
}

function stringEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
