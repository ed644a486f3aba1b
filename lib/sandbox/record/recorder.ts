/**
 * Writes down what happens in the sandbox while somebody asked for it: commands, dispatches, hook tools, commits.
 * Each line is in the file when its method returns, so that a record outlives kill -9 of the daemon.
 */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Clock } from '#system';
import type { CharmProcessEnd } from '../agent/charm-process.ts';
import type { HookContext } from '../agent/hook-context.ts';
import { JUJU_VERSION } from '../agent/services.ts';
import { unitDirectory } from '../agent/unit-directory.ts';
import type { SandboxPaths } from '../client/paths.ts';
import { ModelError } from '../errors.ts';
import type { ToolResult } from '../hook-tools/run-tool.ts';
import { MODEL } from '../model/documents.ts';
import type { Store } from '../store/store.ts';
import { RECORD_FORMAT, RECORD_VERSION, type RecordHeader, type RecordLine } from './format.ts';
import { readRecord } from './read-record.ts';
import { Redactor } from './redact.ts';

/** What is started for a dispatch, as it would be without machines of their own. */
export interface StartedProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env: Readonly<Record<string, string>>;
}

interface Recording {
  readonly file: string;
  readonly started: number;
  readonly redactor: Redactor;
  dispatches: number;
}

/** A line as its place in time is not known yet. */
type Untimed = RecordLine extends infer L ? (L extends unknown ? Omit<L, 'at'> : never) : never;

// Calls that only look, and would fill the record with nothing.
const LOOKING =
  /^(ping|sequences|status|status-history|show-.*|place|resources|storage|storage-pools|task|operation|operations|actions|get-.*|list-.*|secrets|debug-log|.*storage-list|record|stop-record|offers|cross-model-.*)$/;

export class Recorder {
  readonly #store: Store;
  readonly #paths: SandboxPaths;
  readonly #clock: Clock;
  readonly #dispatches = new Map<string, { readonly number: number; readonly began: number }>();
  #recording: Recording | undefined;

  /** Goes on with the record of a daemon that was killed. */
  constructor(store: Store, paths: SandboxPaths, clock: Clock) {
    this.#store = store;
    this.#paths = paths;
    this.#clock = clock;
    store.onCommit((changes) => {
      for (const change of changes) {
        if (change.kind === 'secret' && change.after !== undefined) {
          this.#recording?.redactor.learn(change.after);
        }
      }
    });
    this.#resume();
  }

  /** @throws ModelError when a record is being made, or the file exists or cannot be written. */
  start(file: string): void {
    if (this.#recording !== undefined) {
      throw new ModelError(`a record is being made in ${this.#recording.file}`);
    }
    const model = this.#store.require('model', MODEL).name;
    const started = this.#clock.now();
    const header: RecordHeader = {
      format: RECORD_FORMAT,
      version: RECORD_VERSION,
      started: started.toISOString(),
      juju: JUJU_VERSION,
      model,
    };
    try {
      writeFileSync(file, `${JSON.stringify(header)}\n`, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw new ModelError(`cannot record into ${file}: ${(error as Error).message}`);
    }
    writeFileSync(this.#marker(), file, { mode: 0o600 });
    this.#begin(file, started.getTime(), 0);
  }

  /** Ends the record, compressed when its name ends in `.gz`; answers its file. @throws ModelError when there is none. */
  stop(): string {
    if (this.#recording === undefined) {
      throw new ModelError('no record is being made');
    }
    const { file } = this.#recording;
    this.#recording = undefined;
    rmSync(this.#marker(), { force: true });
    if (file.endsWith('.gz')) {
      writeFileSync(`${file}.new`, gzipSync(readFileSync(file)), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    return file;
  }

  command(call: string, params: unknown): void {
    const { redactor } = this.#recording ?? {};
    if (redactor !== undefined && !LOOKING.test(call)) {
      this.#write({ type: 'command', call, params: redactor.params(call, params) });
    }
  }

  dispatch(context: HookContext, { file, args, stdin, env }: StartedProcess): void {
    const recording = this.#recording;
    if (recording === undefined) {
      return;
    }
    recording.dispatches += 1;
    const number = recording.dispatches;
    this.#dispatches.set(context.id, { number, began: performance.now() });
    const { application } = context.unitDocument();
    this.#write({
      type: 'dispatch',
      dispatch: number,
      unit: context.unit,
      charm: this.#store.require('application', application).charm,
      name: context.label,
      file: this.#placed(context, file),
      args,
      ...(stdin === undefined ? {} : { stdin }),
      env: Object.fromEntries(
        Object.entries(env).map(([name, value]) => [name, this.#placed(context, value)]),
      ),
    });
  }

  tool(
    context: HookContext,
    request: { command: string; args: readonly string[]; stdin?: string; began: number },
    { code, stdout, stderr }: ToolResult,
  ): void {
    const number = this.#dispatches.get(context.id)?.number;
    const { redactor } = this.#recording ?? {};
    if (number === undefined || redactor === undefined) {
      return;
    }
    const { command, args, stdin, began } = request;
    this.#write({
      type: 'tool',
      dispatch: number,
      command,
      args: redactor.args(command, args).map((arg) => this.#placed(context, arg)),
      ...(stdin === undefined ? {} : { stdin: redactor.stdin(command, stdin) }),
      code,
      stdout: this.#placed(context, redactor.stdout(command, stdout)),
      stderr,
      ms: since(began),
    });
  }

  end(context: HookContext, { exitCode, signal, failure }: CharmProcessEnd): void {
    const dispatch = this.#dispatches.get(context.id);
    if (dispatch !== undefined) {
      this.#write({
        type: 'end',
        dispatch: dispatch.number,
        ...(exitCode === undefined ? {} : { exitCode }),
        ...(signal === undefined ? {} : { signal }),
        ...(failure === undefined ? {} : { failure }),
        ms: since(dispatch.began),
      });
    }
  }

  /** `reason`: why it was not. */
  commit(context: HookContext, reason?: string): void {
    const number = this.#dispatches.get(context.id)?.number;
    if (number !== undefined) {
      this.#dispatches.delete(context.id);
      const committed = reason === undefined;
      this.#write({
        type: 'commit',
        dispatch: number,
        committed,
        ...(reason === undefined ? {} : { reason }),
      });
    }
  }

  #write(line: Untimed): void {
    if (this.#recording !== undefined) {
      const { file, started, redactor } = this.#recording;
      const timed = { at: this.#clock.now().getTime() - started, ...redactor.scrub(line) };
      appendFileSync(file, `${JSON.stringify(timed)}\n`);
    }
  }

  #begin(file: string, started: number, dispatches: number): void {
    const redactor = new Redactor();
    this.#store.all('secret').forEach((secret) => {
      redactor.learn(secret);
    });
    this.#recording = { file, started, redactor, dispatches };
  }

  #resume(): void {
    if (!existsSync(this.#marker())) {
      return;
    }
    const file = readFileSync(this.#marker(), 'utf8');
    try {
      const { header, lines } = readRecord(readFileSync(file));
      const numbers = lines.flatMap((line) => ('dispatch' in line ? [line.dispatch] : []));
      this.#begin(file, Date.parse(header.started), Math.max(0, ...numbers));
      // Ends a line that the crash may have torn.
      appendFileSync(file, '\n');
      this.#write({ type: 'resume' });
    } catch {
      // The file was taken away: there is nothing to go on with.
      rmSync(this.#marker(), { force: true });
    }
  }

  /** Paths of this sandbox as places, so that a record means the same elsewhere. */
  #placed(context: HookContext, text: string): string {
    return text
      .replaceAll(unitDirectory(this.#paths, context.unit).charm, '{charm}')
      .replaceAll(this.#paths.tools, '{tools}')
      .replaceAll(this.#paths.agentSocket, '{socket}')
      .replaceAll(context.id, '{context}');
  }

  #marker(): string {
    return join(this.#paths.root, 'recording');
  }
}

function since(began: number): number {
  return Math.round((performance.now() - began) * 10) / 10;
}
