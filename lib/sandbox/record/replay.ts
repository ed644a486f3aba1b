/**
 * Runs the dispatches of a record again, against a charm, with the hook tools answered from the record; tells
 * the first call in which the charm behaves differently. Needs no daemon.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { HintError, systemClock } from '#system';
import { copyCharm } from '../agent/copy-charm.ts';
import { type SandboxPaths, sandboxPaths } from '../client/paths.ts';
import { endSandboxProcesses } from '../client/sweep-processes.ts';
import type { BinaryResult, ToolCallMessage } from '../daemon/tool-call.ts';
import { listenForTools, toBinary } from '../daemon/tool-socket.ts';
import { writeTools } from '../daemon/tools-directory.ts';
import type { RecordedTool } from './format.ts';
import type { WholeDispatch } from './read-record.ts';
import { Redactor } from './redact.ts';

export interface Divergence {
  readonly dispatch: number;
  readonly name: string;
  /** What differs: `call 3`, `exit`. */
  readonly what: string;
  readonly recorded: string;
  readonly replayed: string;
}

export interface ReplayResult {
  readonly replayed: number;
  /** Dispatches that were interrupted when recorded, and so cannot be compared. */
  readonly skipped: number;
  readonly divergence?: Divergence;
}

export interface ReplayOptions {
  readonly dispatches: readonly WholeDispatch[];
  /** An unpacked charm; a copy of it is run. */
  readonly charm: string;
  readonly onDispatch?: (dispatch: WholeDispatch) => void;
}

// Log messages tell of times and numbers of processes; they are no behaviour.
const UNCOMPARED: ReadonlySet<string> = new Set(['juju-log']);

/** @throws HintError `no-charm` when there is none at `charm`. */
export async function replay({
  dispatches,
  charm,
  onDispatch,
}: ReplayOptions): Promise<ReplayResult> {
  if (!existsSync(charm)) {
    throw new HintError(`no charm in ${charm}`, {
      code: 'no-charm',
      hint: 'name the unpacked charm with --charm DIRECTORY',
    });
  }
  const root = await mkdtemp(join(tmpdir(), 'juju-replay-'));
  try {
    const stage = await Stage.create(root, charm);
    return await stage.play(dispatches, onDispatch);
  } finally {
    await endSandboxProcesses(root, systemClock);
    await rm(root, { recursive: true, force: true });
  }
}

class Stage {
  readonly #paths: SandboxPaths;
  readonly #charm: string;

  private constructor(paths: SandboxPaths) {
    this.#paths = paths;
    this.#charm = join(paths.root, 'charm');
  }

  static async create(root: string, charm: string): Promise<Stage> {
    const stage = new Stage(sandboxPaths(root));
    await copyCharm(charm, stage.#charm);
    await mkdir(dirname(stage.#paths.agentSocket), { recursive: true });
    await writeTools(stage.#paths);
    return stage;
  }

  async play(
    dispatches: readonly WholeDispatch[],
    onDispatch: ((dispatch: WholeDispatch) => void) | undefined,
  ): Promise<ReplayResult> {
    let replayed = 0;
    for (const dispatch of dispatches.filter(wasWhole)) {
      onDispatch?.(dispatch);
      const divergence = await this.#playOne(dispatch);
      replayed += 1;
      if (divergence !== undefined) {
        return { replayed, skipped: 0, divergence };
      }
    }
    return { replayed, skipped: dispatches.length - replayed };
  }

  async #playOne(dispatch: WholeDispatch): Promise<Divergence | undefined> {
    const script = new Script(dispatch, this);
    const server = await listenForTools(this.#paths.agentSocket, {
      answer: async (message, readStdin) => script.answer(message, readStdin),
      // A tool that was killed with its hook.
      onDefect: () => undefined,
    });
    try {
      script.ended(await this.#run(dispatch));
    } finally {
      server.close();
    }
    return script.divergence;
  }

  async #run({ start }: WholeDispatch): Promise<string> {
    const env = Object.fromEntries(
      Object.entries(start.env).map(([name, value]) => [name, this.restored(value)]),
    );
    const child = spawn(this.restored(start.file), start.args, {
      cwd: this.#charm,
      env,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(start.stdin);
    return await new Promise((resolve) => {
      child.once('error', (error) => {
        resolve(error.message);
      });
      child.once('exit', (code, signal) => {
        resolve(describeExit({ exitCode: code ?? undefined, signal: signal ?? undefined }));
      });
    });
  }

  /** Places of a record as paths of this stage. */
  restored(text: string): string {
    return text
      .replaceAll('{charm}', this.#charm)
      .replaceAll('{tools}', this.#paths.tools)
      .replaceAll('{socket}', this.#paths.agentSocket)
      .replaceAll('{context}', 'replay');
  }

  /** The other way round. */
  placed(text: string): string {
    return text
      .replaceAll(this.#charm, '{charm}')
      .replaceAll(this.#paths.tools, '{tools}')
      .replaceAll(this.#paths.agentSocket, '{socket}');
  }
}

/** One dispatch as recorded: answers its calls in their order, until one differs. */
class Script {
  divergence: Divergence | undefined;
  readonly #dispatch: WholeDispatch;
  readonly #stage: Stage;
  readonly #calls: readonly RecordedTool[];
  readonly #redactor = new Redactor();
  #next = 0;

  constructor(dispatch: WholeDispatch, stage: Stage) {
    this.#dispatch = dispatch;
    this.#stage = stage;
    this.#calls = dispatch.tools.filter(({ command }) => !UNCOMPARED.has(command));
  }

  async answer(
    { command, args }: ToolCallMessage,
    readStdin: () => Promise<Buffer>,
  ): Promise<BinaryResult> {
    if (UNCOMPARED.has(command)) {
      return toBinary({ code: 0, stdout: '', stderr: '' });
    }
    const recorded = this.#calls[this.#next];
    this.#next += 1;
    const got = {
      command,
      args: this.#redactor.args(command, args).map((arg) => this.#stage.placed(arg)),
      ...(recorded?.stdin === undefined
        ? {}
        : { stdin: this.#redactor.stdin(command, (await readStdin()).toString('utf8')) }),
    };
    if (recorded === undefined || describeCall(recorded) !== describeCall(got)) {
      this.#diverge(`call ${this.#next}`, recorded && describeCall(recorded), describeCall(got));
    }
    if (this.divergence !== undefined || recorded === undefined) {
      const stderr = 'ERROR the charm has left what was recorded\n';
      return toBinary({ code: 1, stdout: '', stderr });
    }
    const { code, stdout, stderr } = recorded;
    return toBinary({ code, stdout: this.#stage.restored(stdout), stderr });
  }

  ended(how: string): void {
    const missing = this.#calls[this.#next];
    if (missing !== undefined) {
      this.#diverge(`call ${this.#next + 1}`, describeCall(missing), undefined);
    }
    const recorded = describeExit(this.#dispatch.end ?? {});
    if (recorded !== how) {
      this.#diverge('exit', recorded, how);
    }
  }

  /** Only the first difference means something. */
  #diverge(what: string, recorded: string | undefined, replayed: string | undefined): void {
    const { dispatch, name } = this.#dispatch.start;
    this.divergence ??= {
      dispatch,
      name,
      what,
      recorded: recorded ?? '(no further call)',
      replayed: replayed ?? '(no further call)',
    };
  }
}

/** What was killed from outside did not end by itself, and did not do all it would have done. */
function wasWhole({ end }: WholeDispatch): boolean {
  return end !== undefined && end.signal !== 'SIGKILL' && end.signal !== 'SIGTERM';
}

function describeExit(end: {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly failure?: string | undefined;
}): string {
  if (end.failure !== undefined) {
    return end.failure;
  }
  return end.signal === undefined ? `exit code ${end.exitCode ?? '?'}` : `signal ${end.signal}`;
}

function describeCall({
  command,
  args,
  stdin,
}: Pick<RecordedTool, 'command' | 'args'> & { readonly stdin?: string }): string {
  const words = [command, ...args].map((word) =>
    /^[\w@%+=:,./{}[\]-]+$/.test(word) ? word : JSON.stringify(word),
  );
  return stdin === undefined ? words.join(' ') : `${words.join(' ')} < ${JSON.stringify(stdin)}`;
}
