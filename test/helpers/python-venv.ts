/** Python packages from PyPI for tests, installed once; without them a suite is skipped and says why. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { describeError, ProcessError, runProcess } from '#system';
import { projectRoot } from '#tooling';

/** A virtual environment with the packages of a requirements file. */
export interface PythonVenv {
  /** Runs Python with the packages. */
  readonly python: string;
  /** The folder with the packages. */
  readonly sitePackages: string;
}

// A hook finds `python3` on the agent's PATH only; packages with machine code have to fit that one.
const PYTHONS = ['/usr/local/bin/python3', '/usr/bin/python3'];
const CACHE = join(projectRoot, 'node_modules', '.cache', 'python');
const PIP_TIMEOUT_MS = 180_000;

/**
 * `describe`, for tests that need the packages of `test/interop/requirements/NAME.txt`. Where Python or
 * the network is missing it defines one skipped test that gives the reason. To be awaited.
 */
export async function describeWithPython(
  title: string,
  requirements: string,
  body: (venv: PythonVenv) => void,
): Promise<void> {
  const venv = await pythonVenv(requirements);
  if (typeof venv === 'string') {
    process.stderr.write(`${title}: skipped: ${venv}\n`);
  }
  const define = typeof venv === 'string' ? describe.skip : describe;
  define(title, () => {
    if (typeof venv === 'string') {
      test(`skipped: ${venv}`, () => {
        expect(venv).toBe('installed');
      });
    } else {
      body(venv);
    }
  });
}

/** The environment, made if it is not there yet; or the reason why there is none. */
async function pythonVenv(requirements: string): Promise<PythonVenv | string> {
  const python = await findPython();
  if (python === undefined) {
    return `no Python with venv in ${PYTHONS.join(', ')}: apt-get install python3-venv`;
  }
  const file = join(projectRoot, 'test', 'interop', 'requirements', `${requirements}.txt`);
  const version = (await runProcess(python, ['-VV'])).stdout;
  const digest = createHash('sha256')
    .update(`${python} ${version}`)
    .update(await readFile(file))
    .digest('hex');
  const directory = join(CACHE, `${requirements}-${digest.slice(0, 16)}`);
  try {
    await ensureVenv(python, directory, file);
    return await openVenv(directory);
  } catch (error) {
    return `cannot install ${requirements}.txt from PyPI: ${reasonOf(error)}`;
  }
}

async function findPython(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    if (existsSync(python)) {
      const probe = ['-c', 'import ensurepip, venv'];
      const { exitCode } = await runProcess(python, probe, { acceptExitCodes: [0, 1] });
      if (exitCode === 0) {
        return python;
      }
    }
  }
  return undefined;
}

/** Made beside and renamed, as several test files may want the same one at the same time. */
async function ensureVenv(python: string, directory: string, requirements: string): Promise<void> {
  if (existsSync(directory)) {
    return;
  }
  await mkdir(CACHE, { recursive: true });
  const draft = `${directory}.${process.pid}.draft`;
  try {
    await runProcess(python, ['-m', 'venv', draft]);
    // The files name every package with its version: nothing is resolved, nothing is built.
    const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary=:all:'];
    await runProcess(join(draft, 'bin', 'python'), [...install, '--requirement', requirements], {
      env: inheritedEnvironment(),
      timeoutMs: PIP_TIMEOUT_MS,
      label: 'pip install',
    });
    await rename(draft, directory);
  } catch (error) {
    if (!existsSync(directory)) {
      throw error;
    }
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function openVenv(directory: string): Promise<PythonVenv> {
  const [version = 'python3'] = await readdir(join(directory, 'lib'));
  return {
    python: join(directory, 'bin', 'python'),
    sitePackages: join(directory, 'lib', version, 'site-packages'),
  };
}

/** pip's settings (index, certificates, proxy) are the caller's. */
function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

function reasonOf(error: unknown): string {
  const said = error instanceof ProcessError ? error.stderr.trim().split('\n').at(-1) : undefined;
  return said === undefined || said === '' ? describeError(error) : said;
}
