/** Installs PostgreSQL from the distribution's packages, touching no cluster that is there. */
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError, minimalEnvironment, ProcessError, type RunProcess } from '#system';

const VERSIONS_DIRECTORY = '/usr/lib/postgresql';
const CONFIG = '/etc/postgresql-common/createcluster.conf';
const DROP_IN_DIRECTORY = '/etc/postgresql-common/createcluster.d';
const NO_MAIN_CLUSTER = 'create_main_cluster = false\n';
// Several units on one machine, and unattended upgrades, take turns with dpkg.
const APT_OPTIONS = ['-q', '-y', '-o', 'DPkg::Lock::Timeout=600', '-o', 'APT::Acquire::Retries=3'];
/** Several units may share a machine: one of them at a time changes what they share. */
export const HOST_LOCK = '/run/database-charm.lock';

export interface InstallOptions {
  readonly runProcess: RunProcess;
  /** Where the machine's files are; for tests. */
  readonly files?: Partial<PackageFiles>;
}

interface PackageFiles {
  readonly versions: string;
  readonly config: string;
  readonly dropIns: string;
}

/**
 * Makes sure that a PostgreSQL server is installed and returns its major version; the newest where
 * there are several. Makes no cluster `main`, starts nothing. Idempotent.
 * @throws HintError `install-failed`
 */
export async function installPostgresql(options: InstallOptions): Promise<string> {
  const files = { ...DEFAULT_FILES, ...options.files };
  const present = await installedVersion(files.versions);
  if (present !== undefined) {
    return present;
  }
  // The common part first: it owns the setting that keeps the server package from making a cluster.
  await aptInstall(options.runProcess, ['postgresql-common']);
  const undo = await preventMainCluster(files);
  try {
    await aptInstall(options.runProcess, ['postgresql']);
  } finally {
    await undo();
  }
  const version = await installedVersion(files.versions);
  if (version === undefined) {
    throw installFailed('the packages brought no server');
  }
  return version;
}

const DEFAULT_FILES: PackageFiles = {
  versions: VERSIONS_DIRECTORY,
  config: CONFIG,
  dropIns: DROP_IN_DIRECTORY,
};

/** The newest major version with a server on this machine. */
export async function installedVersion(
  directory: string = VERSIONS_DIRECTORY,
): Promise<string | undefined> {
  const versions = await listOrEmpty(directory);
  const numbers = versions.filter((name) => /^\d+$/.test(name)).toSorted((a, b) => +b - +a);
  for (const version of numbers) {
    if (await isThere(join(directory, version, 'bin', 'postgres'))) {
      return version;
    }
  }
  return undefined;
}

/** Adds the setting and returns how to take it away again. */
async function preventMainCluster(files: PackageFiles): Promise<() => Promise<void>> {
  const original = await readFile(files.config, 'utf8');
  const readsDropIns = original.split('\n').some((line) => /^include_dir\b/.test(line.trim()));
  if (readsDropIns && (await isThere(files.dropIns))) {
    const dropIn = join(files.dropIns, 'database-charm.conf');
    await writeFile(dropIn, NO_MAIN_CLUSTER);
    return async () => await rm(dropIn, { force: true });
  }
  await writeFile(files.config, `${original}\n${NO_MAIN_CLUSTER}`);
  return async () => await writeFile(files.config, original);
}

async function aptInstall(run: RunProcess, packages: readonly string[]): Promise<void> {
  try {
    await apt(run, ['install', '--no-install-recommends', ...packages]);
    return;
  } catch (error) {
    if (!(error instanceof ProcessError)) {
      throw error;
    }
  }
  // Most often the lists are missing or old; ask for them only then, it takes long.
  try {
    await apt(run, ['update']);
    await apt(run, ['install', '--no-install-recommends', ...packages]);
  } catch (error) {
    throw installFailed(error instanceof ProcessError ? error.message : String(error), error);
  }
}

async function apt(run: RunProcess, args: readonly string[]): Promise<void> {
  const command = ['apt-get', ...APT_OPTIONS, ...args];
  await run('flock', [HOST_LOCK, ...command], {
    env: { ...minimalEnvironment(), DEBIAN_FRONTEND: 'noninteractive' },
    cwd: '/',
    label: `apt-get ${args.join(' ')}`,
  });
}

function installFailed(reason: string, cause?: unknown): HintError {
  return new HintError(`cannot install PostgreSQL: ${reason}`, {
    code: 'install-failed',
    hint: 'check that the machine reaches its package archive (apt-get update)',
    cause,
  });
}

async function listOrEmpty(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    return [];
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
