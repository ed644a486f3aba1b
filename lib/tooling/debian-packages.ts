/** Debian packages that the tests need, installed when they are missing and that is possible. */
import { access } from 'node:fs/promises';
import { HintError, minimalEnvironment, runProcess } from '#system';

const APT_ENVIRONMENT = {
  ...minimalEnvironment(),
  DEBIAN_FRONTEND: 'noninteractive',
  APT_LISTCHANGES_FRONTEND: 'none',
};
// Another installation (a unit's install hook, the system's own updates) may hold the lock for minutes.
const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3'];

/**
 * Installs those of `names` that are missing.
 * @throws HintError when that needs root or apt and there is none, or apt fails.
 */
export async function ensureDebianPackages(names: readonly string[]): Promise<void> {
  const missing = await missingPackages(names);
  if (missing.length === 0) {
    return;
  }
  const byHand = `install them by hand: apt-get install ${missing.join(' ')}`;
  if (process.getuid?.() !== 0) {
    throw new HintError(`cannot install ${missing.join(', ')}: not root`, {
      code: 'not-root',
      hint: `run this as root, or ${byHand}`,
    });
  }
  if (!(await exists('/usr/bin/apt-get'))) {
    throw new HintError(`cannot install ${missing.join(', ')}: there is no apt-get here`, {
      code: 'no-apt',
      hint: 'use Debian 12 or Ubuntu 22.04 or 24.04',
    });
  }
  process.stderr.write(`Installing Debian packages (once): ${missing.join(' ')} …\n`);
  await apt(['update'], byHand);
  await apt(['install', '--yes', '--no-install-recommends', ...missing], byHand);
}

async function apt(args: readonly string[], byHand: string): Promise<void> {
  try {
    await runProcess('apt-get', [...APT_OPTIONS, ...args], { env: APT_ENVIRONMENT });
  } catch (error) {
    throw new HintError(`apt-get ${args[0] ?? ''} failed`, {
      code: 'apt-failed',
      hint: `look at its message and ${byHand}`,
      cause: error,
    });
  }
}

async function missingPackages(names: readonly string[]): Promise<string[]> {
  const query = await runProcess(
    'dpkg-query',
    ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names],
    {
      acceptExitCodes: [0, 1],
    },
  );
  const installed = new Set(
    query.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
