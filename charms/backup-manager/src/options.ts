/** The options that are about neither S3 nor encryption: their values, and what is wrong with them. */
import type { Job, Recheck } from '#database-backup';
import { HintError } from '#system';
import { DEFAULT_LIMIT, MAX_LIMIT } from './history.ts';
import type { StorageFault } from './storage-settings.ts';

/** As the administrator set them. */
export interface RawOptions {
  readonly 'history-limit': number;
  readonly 'compression-level': number;
  readonly recheck: string;
  readonly 'network-limit': string;
  readonly retention: string;
}

const MAX_LEVEL = 19;
const RECHECKS: readonly Recheck[] = ['sample', 'full'];

/** How backups are to be made; what cannot be used is left to the database's charm. */
export function jobOptions(raw: RawOptions): Pick<Job, 'compressionLevel' | 'recheck'> {
  const level = raw['compression-level'];
  const recheck = RECHECKS.find((one) => one === raw.recheck);
  return {
    ...(isLevel(level) && level > 0 ? { compressionLevel: level } : {}),
    ...(recheck === undefined || recheck === 'sample' ? {} : { recheck }),
  };
}

/** The first option that cannot be used as it is, with the allowed form. Backups go on without it. */
export async function optionFault(
  raw: RawOptions,
  application: string,
): Promise<StorageFault | undefined> {
  const limit = raw['history-limit'];
  if (limit < 1 || limit > MAX_LIMIT) {
    return invalid(
      `history-limit must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`,
      `juju config ${application} history-limit=${DEFAULT_LIMIT}`,
    );
  }
  const level = raw['compression-level'];
  if (!isLevel(level)) {
    return invalid(
      `compression-level must be a whole number from 1 to ${MAX_LEVEL}, or 0 for the usual one, not ${level}`,
      `juju config ${application} compression-level=0`,
    );
  }
  if (!RECHECKS.some((one) => one === raw.recheck)) {
    return invalid(
      `recheck must be ${RECHECKS.join(' or ')}, not ${JSON.stringify(raw.recheck)}`,
      `juju config ${application} recheck=sample`,
    );
  }
  return (
    (await refusal(raw['network-limit'], rateOf, `juju config ${application} network-limit=…`)) ??
    (await refusal(raw.retention, assertRetention, `juju config ${application} retention=…`))
  );
}

/** Bytes per second; undefined for no limit. @throws HintError `invalid-rate` */
export async function rateOf(text: string): Promise<number | undefined> {
  if (text.trim() === '') {
    return undefined;
  }
  const { parseRate } = await import('#object-store');
  return parseRate(text);
}

async function assertRetention(text: string): Promise<void> {
  if (text.trim() !== '') {
    const { parseRetention } = await import('#snapshots');
    parseRetention(text);
  }
}

async function refusal(
  text: string,
  check: (text: string) => Promise<unknown>,
  command: string,
): Promise<StorageFault | undefined> {
  try {
    await check(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof HintError)) {
      throw error;
    }
    return { code: error.code, message: error.message, hint: `${error.hint ?? ''}: ${command}` };
  }
}

function isLevel(level: number): boolean {
  return Number.isInteger(level) && level >= 0 && level <= MAX_LEVEL;
}

function invalid(message: string, command: string): StorageFault {
  return { code: 'invalid-configuration', message, hint: `run: ${command}` };
}
