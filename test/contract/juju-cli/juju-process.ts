/** Runs the real `juju` program as a person would, on a sandbox of its own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../lib/sandbox/bin/juju.mjs', import.meta.url));

interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Sandbox {
  readonly folder: string;
  readonly data: string;
  readonly juju: (line: string | readonly string[], options?: JujuOptions) => Promise<Answer>;
  /** Ends whatever runs and removes the folder. */
  readonly end: () => Promise<void>;
}

interface JujuOptions {
  readonly input?: string;
  /** The Node that starts the program; that of the test unless told. */
  readonly node?: string;
  /** Looks at the output as it comes; may signal the process. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** A folder with nothing in it yet. */
export function newSandbox(): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'juju-cli-'));
  const data = join(folder, 'data');
  const juju: Sandbox['juju'] = async (line, options = {}) => {
    const args = typeof line === 'string' ? line.split(' ').filter((word) => word !== '') : line;
    return runProgram(args, { ...options, folder, data });
  };
  return {
    folder,
    data,
    juju,
    end: async () => {
      await juju('kill-controller --no-prompt --timeout 2s');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function runProgram(
  args: readonly string[],
  options: JujuOptions & { readonly folder: string; readonly data: string },
): Promise<Answer> {
  const child = spawn(options.node ?? process.execPath, [PROGRAM, ...args], {
    cwd: options.folder,
    env: { PATH: process.env['PATH'], HOME: options.folder, JUJU_DATA: options.data, TZ: 'UTC' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const seen = (text: string) => options.onOutput?.(text, (signal) => child.kill(signal));
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
    seen(out);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    err += bytes.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', (exitCode) => resolve(exitCode));
  });
  return { code, out, err };
}
