/** Proves that a staged data directory is a complete backup, and makes it PostgreSQL's own. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HintError, minimalEnvironment, ProcessError, type RunProcess } from '#system';
import { asOwner, binDirectory } from './commands.ts';
import type { PostgresqlInstance } from './config.ts';
import { exists } from './directories.ts';

const REQUIRED = ['PG_VERSION', 'backup_label', 'backup_manifest', 'global/pg_control', 'base'];

/** @throws HintError `verification-failed`; the signal's reason when it aborts */
export async function verifyStaged(
  instance: PostgresqlInstance,
  run: RunProcess,
  staged: string,
  signal: AbortSignal,
): Promise<void> {
  await checkRequired(instance, staged);
  await giveToOwner(instance, run, staged, signal);
  await runVerifyBackup(instance, run, staged, signal);
  // Would make a copy of a standby wait for a primary for ever.
  await rm(join(staged, 'standby.signal'), { force: true });
  await rm(join(staged, 'recovery.signal'), { force: true });
  // One barrier for the contents, owners and modes of all files: after the swap they must be there.
  await run('sync', ['--file-system', staged], { signal });
}

async function checkRequired(instance: PostgresqlInstance, staged: string): Promise<void> {
  for (const name of REQUIRED) {
    if (!(await exists(join(staged, name)))) {
      throw verificationFailed(staged, `${name} is missing`);
    }
  }
  const version = (await readFile(join(staged, 'PG_VERSION'), 'utf8')).trim();
  if (version !== instance.version) {
    throw verificationFailed(staged, `it is of PostgreSQL ${version}, not ${instance.version}`);
  }
}

async function giveToOwner(
  instance: PostgresqlInstance,
  run: RunProcess,
  staged: string,
  signal: AbortSignal,
): Promise<void> {
  const { osUser } = instance;
  if (process.getuid?.() === 0) {
    await run('chown', ['-R', '--no-dereference', `${osUser}:`, staged], { signal });
  }
  // PostgreSQL refuses to start on a directory others may read.
  await run('chmod', ['-R', 'u=rwX,g=,o=', staged], { signal });
}

async function runVerifyBackup(
  instance: PostgresqlInstance,
  run: RunProcess,
  staged: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await exists(join(binDirectory(instance.version), 'pg_verifybackup')))) {
    return;
  }
  // Every file against the manifest, and the WAL needed to become consistent.
  const tool = asOwner(instance, 'pg_verifybackup', ['--quiet', '--exit-on-error', staged]);
  try {
    await run(tool.command, tool.args, {
      env: minimalEnvironment(),
      cwd: '/',
      label: 'pg_verifybackup',
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw verificationFailed(staged, error instanceof ProcessError ? error.message : '', error);
  }
}

function verificationFailed(staged: string, reason: string, cause?: unknown): HintError {
  return new HintError(`cannot use the restored files in ${staged}: ${reason}`, {
    code: 'verification-failed',
    hint: 'restore an older backup; the live data were not touched',
    cause,
  });
}
